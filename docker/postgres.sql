-- Beside the platform's own tables in talentml.
CREATE DATABASE airflow;
CREATE DATABASE mlflow;
