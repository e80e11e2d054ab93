"""Red-team campaigns: how poisonable is this pipeline, and what would it take?"""

from foretaste.redteam.adaptive import adapt
from foretaste.redteam.plan import Plan, quick_plan, read_plan
from foretaste.redteam.run import run_campaign

__all__ = ["Plan", "adapt", "quick_plan", "read_plan", "run_campaign"]
