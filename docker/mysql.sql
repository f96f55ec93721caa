-- The seed makes its databases itself: identity_service, task_service, job_service.
GRANT ALL PRIVILEGES ON *.* TO 'talentml'@'%' WITH GRANT OPTION;
