"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));
  root.classList.add("js");

  // --- light and dark -------------------------------------------------------------------------
  document.getElementById("theme").addEventListener("click", () => {
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });

  // --- tables as CSV and LaTeX ----------------------------------------------------------------
  const cells = (row) => Array.from(row.cells);
  const numeric = (cell) => !cell.classList.contains("t");
  const raw = (cell) => {
    if (cell.dataset.v !== undefined) return cell.dataset.v;
    return cell.textContent === "\u2013" ? "" : cell.textContent; // a dash stands for nothing
  };

  // A spreadsheet takes text that starts with one of these for a formula; a quote mark stops it.
  const field = (cell) => {
    let value = raw(cell);
    if (!numeric(cell) && /^[=+\-@\t\r]/.test(value)) value = "'" + value;
    return /[",\r\n]/.test(value) ? '"' + value.replaceAll('"', '""') + '"' : value;
  };
  const csv = (table) =>
    all("tr", table).map((row) => cells(row).map(field).join(",")).join("\r\n") + "\r\n";

  const special = {
    "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "$": "\\$", "&": "\\&", "#": "\\#",
    "%": "\\%", "_": "\\_", "^": "\\textasciicircum{}", "~": "\\textasciitilde{}",
    "<": "\\textless{}", ">": "\\textgreater{}", "\u2212": "$-$", "\u2013": "--", "\n": " ",
  };
  const tex = (text) => text.replace(/[\\{}$&#%_^~<>\u2212\u2013\n]/g, (c) => special[c]);
  const latex = (table) => {
    const rows = all("tr", table).map((row) => cells(row).map((c) => tex(c.textContent)).join(" & "));
    const spec = cells(table.rows[0]).map((c) => (numeric(c) ? "r" : "l")).join("");
    return [
      "% needs \\usepackage{booktabs}",
      "\\begin{table}",
      "\\centering",
      "\\caption{" + tex(table.caption ? table.caption.textContent : "") + "}",
      "\\begin{tabular}{" + spec + "}",
      "\\toprule",
      rows[0] + " \\\\",
      "\\midrule",
      ...rows.slice(1).map((row) => row + " \\\\"),
      "\\bottomrule",
      "\\end{tabular}",
      "\\end{table}",
      "",
    ].join("\n");
  };

  // --- drawings as one SVG file, in the light colours -----------------------------------------
  const svg = (figure) => {
    const wide = figure.querySelector(".wide svg");
    const drawings = wide ? [wide] : all(".panels svg, .cards svg", figure);
    const kept = root.dataset.theme;
    root.dataset.theme = "light";
    const values = getComputedStyle(root);
    const style = document.getElementById("figure-style").textContent.replace(
      /var\((--[\w-]+)\)/g, (_, name) => values.getPropertyValue(name).trim());
    const page = values.getPropertyValue("--page").trim();
    if (kept) root.dataset.theme = kept; else delete root.dataset.theme;
    const size = (s) => [s.viewBox.baseVal.width, s.viewBox.baseVal.height];
    const across = Math.min(4, drawings.length);
    const gap = 18;
    const width = Math.max(...drawings.map((s) => size(s)[0]));
    const height = Math.max(...drawings.map((s) => size(s)[1]));
    const down = Math.ceil(drawings.length / across);
    const total = [across * (width + gap) - gap, down * (height + gap) - gap];
    const space = drawings[0].namespaceURI;
    const out = document.createElementNS(space, "svg");
    const box = (node, x, y, w, h) => {
      for (const [k, v] of Object.entries({ x, y, width: w, height: h })) node.setAttribute(k, v);
    };
    out.setAttribute("viewBox", `0 0 ${total[0]} ${total[1]}`);
    box(out, 0, 0, ...total);
    const sheet = document.createElementNS(space, "style");
    sheet.textContent = document.getElementById("font-style").textContent.split("\n")[0] + style;
    const ground = document.createElementNS(space, "rect");
    box(ground, 0, 0, ...total);
    ground.setAttribute("fill", page);
    out.append(sheet, ground);
    drawings.forEach((drawing, k) => {
      const copy = drawing.cloneNode(true);
      const [w, h] = size(drawing);
      box(copy, (k % across) * (width + gap), Math.floor(k / across) * (height + gap), w, h);
      out.append(copy);
    });
    return new XMLSerializer().serializeToString(out);
  };

  const save = (name, type, text) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: type + ";charset=utf-8" }));
    link.download = name;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };

  const copy = async (button) => {
    const text = button.parentElement.firstElementChild.textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-do]");
    if (!button) return;
    const what = button.dataset.do;
    if (what === "copy") { copy(button); return; }
    const holder = button.closest("figure, .fulltable");
    const name = "viva-" + button.parentElement.dataset.name;
    const table = holder.querySelector("table.data");
    if (what === "csv") save(name + ".csv", "text/csv", "\ufeff" + csv(table));
    if (what === "latex") save(name + ".tex", "application/x-tex", latex(table));
    if (what === "svg") save(name + ".svg", "image/svg+xml", svg(holder));
  });

  // --- scopes of the comparison as tabs -------------------------------------------------------
  for (const list of all("[role=tablist]")) {
    const tabs = all("[role=tab]", list);
    const choose = (chosen) => {
      for (const tab of tabs) {
        const on = tab === chosen;
        tab.setAttribute("aria-selected", on);
        tab.tabIndex = on ? 0 : -1;
        document.getElementById(tab.getAttribute("aria-controls")).hidden = !on;
      }
    };
    choose(tabs[0]);
    list.addEventListener("click", (event) => {
      const tab = event.target.closest("[role=tab]");
      if (tab) choose(tab);
    });
    list.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
      choose(next);
      next.focus();
    });
  }

  // --- a link to something inside a closed part opens it --------------------------------------
  const reveal = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    const closed = target && target.closest("details:not([open])");
    if (closed) { closed.open = true; target.scrollIntoView({ block: "center" }); }
  };
  addEventListener("hashchange", reveal);
  reveal();

  // --- titles as tips that come at once, also on touch ----------------------------------------
  const tip = document.getElementById("tip");
  for (const drawing of all("svg.drawing")) {
    const title = drawing.querySelector(":scope > title");
    if (!title) continue;
    drawing.setAttribute("aria-label", title.textContent);
    drawing.removeAttribute("aria-labelledby");
    drawing.setAttribute("aria-describedby", drawing.querySelector(":scope > desc").id);
    title.remove();
  }
  const words = (node) => {
    const title = node.querySelector(":scope > title");
    if (title) { node.dataset.tip = title.textContent; title.remove(); }
    if (node.title) { node.dataset.tip = node.title; node.removeAttribute("title"); }
    return node.dataset.tip;
  };
  const hide = () => { tip.hidden = true; };
  document.addEventListener("pointerover", (event) => {
    const node = event.target.closest(".drawing circle, .drawing rect, .drawing text, td, th");
    const said = node && words(node);
    if (!said) { hide(); return; }
    tip.textContent = said;
    tip.hidden = false;
    const at = node.getBoundingClientRect();
    const own = tip.getBoundingClientRect();
    const left = Math.max(6, Math.min(innerWidth - own.width - 6, at.left + at.width / 2 - own.width / 2));
    const above = at.top - own.height - 8;
    tip.style.left = left + "px";
    tip.style.top = (above > 4 ? above : at.bottom + 8) + "px";
  });
  // A square of the matrix, clicked, gives its sentence for citing.
  document.addEventListener("click", (event) => {
    const square = event.target.closest(".matrix td");
    const said = square && words(square);
    if (!said) return;
    const holder = square.closest(".tab").querySelector(".said");
    holder.firstElementChild.textContent = said;
    holder.hidden = false;
  });
  addEventListener("scroll", hide, { passive: true, capture: true });

  window.viva = { csv, latex, svg };
})();
