"""The arithmetic under the layers: arrays in, arrays out, more than one way each."""
