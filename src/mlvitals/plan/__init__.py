"""Before anything is sent: how many series and documents there will be, what the budget cuts, what it costs."""

from mlvitals.plan.allowances import Allowances
from mlvitals.plan.demand import Measured, measure_demand
from mlvitals.plan.job import Job
from mlvitals.plan.plan import Known, Plan, make_plan
from mlvitals.plan.windows import Monitored, monitored

__all__ = ["Allowances", "Job", "Known", "Measured", "Monitored", "Plan", "make_plan", "measure_demand", "monitored"]
