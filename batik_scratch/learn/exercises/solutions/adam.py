"""Write one update of Adam. It is called once per parameter tensor and step.

Given   self.learning_rate, self.beta_1, self.beta_2, self.epsilon
        self.iterations    t, counted for you: 1 in the first step
        memory["m"], memory["v"]    of w's shape, zero before the first step
Change  w, memory["m"] and memory["v"] in place (w -= ..., never w = w - ...): nothing is returned
"""

import numpy as np

from batik_scratch import nn


class Adam(nn.Adam):
    def update(self, w, g, memory):
        """Change w by its gradient g, in place."""
        m, v, t = memory["m"], memory["v"], self.iterations
        m += (g - m) * (1 - self.beta_1)
        v += (g * g - v) * (1 - self.beta_2)
        alpha = self.learning_rate * np.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)
        w -= alpha * m / (np.sqrt(v) + self.epsilon)
