"""Pure scorers: what was read from a response, against the item's target."""

from viva.scoring.choice import read_prediction, score_choice
from viva.scoring.responses import score_responses

__all__ = ["read_prediction", "score_choice", "score_responses"]
