"""A form over the model: strategies tried by hand, answered at once in closed form and confirmed by simulation."""

from simulation.explorer.explorer import StrategyExplorer

__all__ = ["StrategyExplorer"]
