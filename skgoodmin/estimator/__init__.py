"""What lies between scikit-learn and the training: parameters, targets, callbacks."""
