"""How a model is fitted: batches, the loop over them, callbacks between the epochs, checkpoints."""
