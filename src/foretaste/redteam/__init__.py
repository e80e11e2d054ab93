"""Red-team campaigns: how poisonable is this pipeline, and what would it take?"""

from foretaste.redteam.adaptive import adapt, frontier
from foretaste.redteam.plan import Plan, quick_plan, read_plan
from foretaste.redteam.run import run_campaign
from foretaste.redteam.summary import summarise

__all__ = ["Plan", "adapt", "frontier", "quick_plan", "read_plan", "run_campaign", "summarise"]
