"""The daily check whether retraining is due: 7 days, 100 new labelled records, drift, or forced (REQUIREMENTS 4)."""

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import Param, chain

from dags.steps import AS_OF_CUT, CHECK_SCHEDULE, step, workflow
from serving.airflow import dag_of
from training.products import PRODUCTS

FORCE = Param(False, type="boolean", description="Retrain whatever the reasons")

with workflow("talentml_retrain_check", CHECK_SCHEDULE, "Retraining due?", __doc__ or "", ["retrain"], force=FORCE):
    for name in PRODUCTS:
        chain(
            step("due", name, "--as-of", '"$AS_OF"', "{{ '--force' if params.force else '' }}", task_id=f"due_{name}"),
            TriggerDagRunOperator(task_id=f"retrain_{name}", trigger_dag_id=dag_of(name), conf={"until": AS_OF_CUT}),
        )
