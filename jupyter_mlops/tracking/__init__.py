"""Tracking: from journals to MLflow. Nothing here imports MLflow until it is used."""
