"""The heavy route: a fine-tuned Hugging Face encoder, or a light classifier on its embeddings.

Needs the extra ``hf`` (torch, transformers, sentence-transformers). Models are read from local
folders or, by name, through the hub's ordinary cache; weights are safetensors, never pickles.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from viva._progress import silent
from viva.errors import InputError
from viva.strata.text import stem_hash

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from viva._progress import Progress

__all__ = ["item_text", "predict_encoder", "train_embedder", "train_encoder"]

_ABOUT = "splitter.json"
_MEND = "pip install 'vivavoce[hf]'"
_BATCH = 16


def _need(module: str) -> Any:
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(f"the encoder route needs {module}", mend=_MEND) from error


def item_text(stem: str, options: Sequence[str]) -> str:
    """One item as an encoder reads it: options first, so that cutting a long stem at its start
    keeps the asking sentence.
    """
    return " | ".join(options) + "\n" + stem if options else stem


def _batches(n: int) -> Iterable[slice]:
    return (slice(start, start + _BATCH) for start in range(0, n, _BATCH))


class _Folder:
    """What a trained folder says about itself: the kind, calibration and cross-fitted answers."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        try:
            about = json.loads((self.path / _ABOUT).read_text(encoding="utf-8"))
            self.kind = str(about["kind"])
            self.source = str(about["source"])
            self.longest = int(about["longest"])
            self.slope, self.intercept = float(about["slope"]), float(about["intercept"])
            self.crossed = {str(k): float(p) for k, p in about["cross_fitted"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                "not a folder of a trained encoder",
                where=str(path),
                mend="Make one with `viva strata train --encoder NAME --out FOLDER`",
            ) from error


def _save_about(folder: Path, **about: Any) -> None:
    (folder / _ABOUT).write_text(json.dumps(about, indent=1, sort_keys=True) + "\n", "utf-8")


def _load(name: str, *, labels: int | None) -> tuple[Any, Any]:
    transformers = _need("transformers")
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(name, truncation_side="left")
        model = (
            transformers.AutoModelForSequenceClassification.from_pretrained(
                name, num_labels=labels, use_safetensors=True
            )
            if labels
            else transformers.AutoModelForSequenceClassification.from_pretrained(
                name, use_safetensors=True
            )
        )
    except (OSError, ValueError) as error:
        raise InputError(
            f"no encoder {name!r} with safetensors weights",
            mend="Give a local folder or the name of a model on the Hugging Face hub",
        ) from error
    return tokenizer, model


def _logits(tokenizer: Any, model: Any, texts: Sequence[str], longest: int) -> NDArray[np.float64]:
    torch = _need("torch")
    model.eval()
    device = next(model.parameters()).device
    found = []
    with torch.no_grad():
        for part in _batches(len(texts)):
            batch = tokenizer(
                list(texts[part]),
                truncation=True,
                max_length=longest,
                padding=True,
                return_tensors="pt",
            ).to(device)
            found.append(model(**batch).logits[:, 0].float().cpu().numpy())
    return np.concatenate(found).astype(np.float64) if found else np.zeros(0)


def _fine_tune(
    name: str,
    texts: Sequence[str],
    share: NDArray[np.float64],
    weight: NDArray[np.float64],
    *,
    epochs: int,
    rate: float,
    longest: int,
    seed: int,
    progress: Progress,
) -> tuple[Any, Any]:
    """One logit per text, trained on soft labels with binary cross-entropy."""
    torch = _need("torch")
    torch.manual_seed(seed)
    tokenizer, model = _load(name, labels=1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)
    rounds = epochs * -(-len(texts) // _BATCH)
    warm = max(1, rounds // 10)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda i: min((i + 1) / warm, max(0.0, (rounds - i) / max(1, rounds - warm)))
    )
    rng = np.random.default_rng(seed)
    with progress("fine-tuning", rounds) as advance:
        for _ in range(epochs):
            order = rng.permutation(len(texts))
            for part in _batches(len(texts)):
                some = order[part]
                batch = tokenizer(
                    [texts[i] for i in some],
                    truncation=True,
                    max_length=longest,
                    padding=True,
                    return_tensors="pt",
                ).to(device)
                target = torch.tensor(share[some], dtype=torch.float32, device=device)
                trust = torch.tensor(weight[some], dtype=torch.float32, device=device)
                loss = torch.nn.functional.binary_cross_entropy_with_logits(
                    model(**batch).logits[:, 0].float(), target, weight=trust
                )
                optimiser.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimiser.step()
                schedule.step()
                advance(1)
    return tokenizer, model


def train_encoder(
    labels: Sequence[str | os.PathLike[str]] | None,
    encoder: str,
    out: str | os.PathLike[str],
    *,
    definition: str = "rubric",
    k: int = 5,
    epochs: int = 3,
    rate: float = 2e-5,
    longest: int = 512,
    seed: int = 0,
    progress: Progress = silent,
) -> Path:
    """Fine-tune an encoder as a splitter: cross-fit in k folds, then fit to all labels.

    Parameters
    ----------
    labels : list of paths or None
        As for :func:`viva.strata.train`.
    encoder : str
        Local folder or hub name of an encoder with safetensors weights (BiomedBERT ...).
    out : path
        Folder to write: the model (safetensors), its tokenizer, and ``splitter.json``.
    k, epochs, rate, longest, seed
        Folds, passes over the labels, peak learning rate, tokens kept of a text (its end), seed.

    Returns
    -------
    Path
        ``out``.
    """
    from viva.strata.folds import folds, near_duplicates
    from viva.strata.model import calibrate
    from viva.strata.training import training_set

    frame = training_set(labels, definition)
    stems = frame["question"].to_list()
    texts = [item_text(q, o or ()) for q, o in zip(stems, frame["options"].to_list(), strict=True)]
    share, weight = frame["share"].to_numpy(), frame["trust"].to_numpy()
    held_out = np.zeros(len(texts))
    tune: dict[str, Any] = {
        "epochs": epochs,
        "rate": rate,
        "longest": longest,
        "seed": seed,
        "progress": progress,
    }
    for train, test in folds(near_duplicates(stems), share > 0.5, k=k, seed=seed):
        tokenizer, model = _fine_tune(
            encoder, [texts[i] for i in train], share[train], weight[train], **tune
        )
        held_out[test] = _logits(tokenizer, model, [texts[i] for i in test], longest)
    keep = frame["scored"].to_numpy()
    slope, intercept = calibrate(held_out[keep], share[keep], weight[keep])
    tokenizer, model = _fine_tune(encoder, texts, share, weight, **tune)
    folder = Path(out)
    model.save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)
    _save_about(
        folder,
        kind="encoder",
        source=encoder,
        longest=longest,
        slope=slope,
        intercept=intercept,
        cross_fitted=_by_stem(stems, _probability(held_out, slope, intercept)),
    )
    return folder


def _probability(
    logits: NDArray[np.float64], slope: float, intercept: float
) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.clip(slope * logits + intercept, -30, 30))))


def _by_stem(stems: Sequence[str], p: NDArray[np.float64]) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for stem, value in zip(stems, p, strict=True):
        found.setdefault(stem_hash(stem), []).append(float(value))
    return {stem: sum(values) / len(values) for stem, values in found.items()}


def _embed(path: str, texts: Sequence[str]) -> NDArray[np.float64]:
    library = _need("sentence_transformers")
    if not Path(path).is_dir():
        raise InputError("no such folder", where=path, mend="Give a local sentence-transformer")
    model = library.SentenceTransformer(path, local_files_only=True)
    return np.asarray(
        model.encode(
            list(texts), batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=False
        ),
        np.float64,
    )


def train_embedder(
    labels: Sequence[str | os.PathLike[str]] | None,
    embedder: str,
    out: str | os.PathLike[str],
    *,
    definition: str = "rubric",
    k: int = 10,
    seed: int = 0,
    progress: Progress = silent,
) -> Path:
    """A splitter from sentence embeddings beside the light classifier's score.

    Embeddings of stem and of options, from a local sentence-transformers folder, and the light
    classifier's held-out logit enter one logistic regression, cross-fitted in k folds.

    Returns
    -------
    Path
        ``out``, a folder with ``splitter.json`` and ``head.npz``; the embedder stays where it is.
    """
    from sklearn.linear_model import LogisticRegression

    from viva.strata.folds import folds, near_duplicates
    from viva.strata.model import calibrate
    from viva.strata.storage import save
    from viva.strata.training import train, training_set

    frame = training_set(labels, definition)
    stems = frame["question"].to_list()
    x = _embedding_rows(embedder, stems, frame["options"].to_list())
    light = train(labels, definition=definition, k=k, seed=seed, progress=progress)
    p = light.labelled.p["stem+options"]
    x = np.column_stack([x, _logit(p)])
    truth, weight = frame["share"].to_numpy() > 0.5, frame["trust"].to_numpy()
    held_out = np.zeros(len(stems))
    for fit_on, test in folds(near_duplicates(stems), truth, k=k, seed=seed):
        head = LogisticRegression(C=1.0, max_iter=2000)
        head.fit(x[fit_on], truth[fit_on], sample_weight=weight[fit_on])
        held_out[test] = head.decision_function(x[test])
    keep = frame["scored"].to_numpy()
    slope, intercept = calibrate(held_out[keep], frame["share"].to_numpy()[keep], weight[keep])
    head = LogisticRegression(C=1.0, max_iter=2000).fit(x, truth, sample_weight=weight)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "head.npz", coef=head.coef_[0], intercept=head.intercept_)
    save(light, folder / "light.npz")
    _save_about(
        folder,
        kind="embedder",
        source=str(Path(embedder).resolve()),
        longest=0,
        slope=slope,
        intercept=intercept,
        cross_fitted=_by_stem(stems, _probability(held_out, slope, intercept)),
    )
    return folder


def _embedding_rows(
    embedder: str, stems: Sequence[str], options: Sequence[Sequence[str] | None]
) -> NDArray[np.float64]:
    shown = [" | ".join(given or ()) for given in options]
    return np.hstack([_embed(embedder, stems), _embed(embedder, shown)])


def _logit(p: NDArray[np.float64]) -> NDArray[np.float64]:
    q = np.clip(p, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(q / (1 - q)))


def predict_encoder(
    items: pl.DataFrame,
    folder: str | os.PathLike[str],
    *,
    threshold: float = 0.5,
    progress: Progress = silent,
) -> pl.DataFrame:
    """As :func:`viva.strata.predict`, by a folder that was trained here.

    Raises
    ------
    InputError
        Where the folder is none, or the extra is not installed.
    """
    from viva.strata.prediction import predicted_frame, probabilities

    about = _Folder(folder)
    stems = [stem or "" for stem in items["question"].to_list()]
    options = [list(given or ()) for given in items["options"].to_list()]
    if about.kind == "encoder":
        tokenizer, model = _load(str(about.path), labels=None)
        logits = np.zeros(len(stems))
        with progress("splitting", len(stems)) as advance:
            for start in range(0, len(stems), 256):
                part = slice(start, start + 256)
                texts = [item_text(q, o) for q, o in zip(stems[part], options[part], strict=True)]
                logits[part] = _logits(tokenizer, model, texts, about.longest)
                advance(len(texts))
    else:
        from viva.strata.storage import load

        with np.load(about.path / "head.npz", allow_pickle=False) as head:
            coef, intercept = head["coef"], float(head["intercept"][0])
        light = probabilities(load(about.path / "light.npz"), stems, options)
        x = np.column_stack([_embedding_rows(about.source, stems, options), _logit(light)])
        logits = x @ coef + intercept
    p = _probability(logits, about.slope, about.intercept)
    crossed = np.array([stem_hash(stem) in about.crossed for stem in stems], bool)
    for i in np.flatnonzero(crossed):
        p[i] = about.crossed[stem_hash(stems[i])]
    return predicted_frame(items, p, crossed, stems, options, cut=threshold)
