"""The service where no server runs: functions of AWS Lambda and of Google Cloud."""
