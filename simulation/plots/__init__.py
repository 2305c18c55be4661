"""Pictures of workloads, strategies, outcomes and studies, for a light or a dark page and for print in grey."""

from simulation.plots.comparing import front, study
from simulation.plots.durations import curve, duration
from simulation.plots.failing import losses
from simulation.plots.keeping import calendar
from simulation.plots.storage import stored
from simulation.plots.timelines import pending, timeline

__all__ = ["calendar", "curve", "duration", "front", "losses", "pending", "stored", "study", "timeline"]
