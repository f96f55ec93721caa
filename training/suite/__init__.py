"""The real suite: every check on a public data set, in one list (`talentml evaluate --suite real`)."""

from training.suite import esco, hr, jira, job_views, sip, so_survey, trends
from training.suite.check import Check

CHECKS: tuple[Check, ...] = (
    *sip.CHECKS,
    *jira.CHECKS,
    *so_survey.CHECKS,
    *esco.CHECKS,
    *job_views.CHECKS,
    *trends.CHECKS,
    *hr.CHECKS,
)
