"""What MLflow is told of retrainings and champions."""
