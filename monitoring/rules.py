"""The judgement of water, one door to its standards: GB 3838-2002 table 1; 环办〔2011〕22号; 环办监测函〔2020〕82号.

Values in, verdict out: no ORM, no settings, no clock. Each rule stands in `monitoring/standards/`, one module a
standard; trend and city index are read there.
"""

from monitoring.standards.assessment_2011_22 import (
    Grade,
    Judgement,
    Shares,
    Water,
    WatersJudgement,
    change,
    change_by_rating,
    change_by_share,
    conclude,
    exceedance,
    grade,
    is_good,
    judge,
    judge_together,
    judge_waters,
    main_pollutants,
    meets_target,
    over_iii,
    over_target,
    rating,
    shares,
    worst,
)
from monitoring.standards.gb3838 import classify
from monitoring.standards.statistics_2020_82 import for_mean, least_months, mean, mean_of_months, rounded_for_assessment

__all__ = [
    "Grade",
    "Judgement",
    "Shares",
    "Water",
    "WatersJudgement",
    "change",
    "change_by_rating",
    "change_by_share",
    "classify",
    "conclude",
    "exceedance",
    "for_mean",
    "grade",
    "is_good",
    "judge",
    "judge_together",
    "judge_waters",
    "least_months",
    "main_pollutants",
    "mean",
    "mean_of_months",
    "meets_target",
    "over_iii",
    "over_target",
    "rating",
    "rounded_for_assessment",
    "shares",
    "worst",
]
