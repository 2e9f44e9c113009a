"""Optimisers that do not follow their rule, and train all the same."""

from ...nn import SGD, Adam
from .exhibit import follow, hang


@hang(Adam(), "kernel", "no bias correction")
def AdamWithoutBiasCorrection(self, w, g, memory):
    """m and v start at zero, and nothing makes up for it.

    Looks right   late: after ten thousand steps the missing factor is 1 to four digits.
    The check     looks at the first seven steps, beside the rule written a second time.
    Numbers       the first step is 3.16 = 0.1 / sqrt(0.001) times the rule's, and the ratio changes with every step.
    """
    follow(self, "no bias correction", w, g, memory)


@hang(Adam(), "bias", "t counts tensors")
class AdamCountingTensors(Adam):
    """t advances once per tensor instead of once per step.

    Looks right   with one tensor it is right, and with twenty the correction merely ends twenty times sooner.
    The check     has two tensors.
    Numbers       the first tensor's first step is right, the second's belongs to t = 2.
    """

    def step(self, layers):
        super().step(layers)
        self.iterations -= 1  # the step itself is not counted, each of its tensors is

    def update(self, w, g, memory):
        super().update(w, g, memory)
        self.iterations += 1


@hang(Adam(), "kernel", "epsilon inside the root")
def AdamEpsilonInsideTheRoot(self, w, g, memory):
    """alpha m / sqrt(v + epsilon) where the rule has alpha m / (sqrt(v) + epsilon).

    Looks right   both keep the division from zero. But sqrt(1e-7) is 3e-4: small gradients are held back.
    The check     compares twelve digits.
    Numbers       each step is a little too short, by a share that grows as the gradient shrinks.
    """
    follow(self, "epsilon inside the root", w, g, memory)


@hang(Adam(), "kernel", "betas swapped")
def AdamBetasSwapped(self, w, g, memory):
    """beta_1 and beta_2 change places: m remembers a thousand steps, v ten.

    Looks right   the first step is the same, whatever the betas (up to epsilon): that is what the correction is for.
    The check     goes on for seven steps.
    Numbers       after step 1 the kernel is off by less than 1e-6 of itself, after step 7 by 2e-3.
    """
    follow(self, "betas swapped", w, g, memory)


@hang(SGD(0.05), "kernel", "wrong sign")
def DescentUphill(self, w, g, memory):
    """The step is added instead of subtracted: w += lr g.

    Looks right   in a project whose gradients have the wrong sign as well; there it trains.
    The check     compares the step with the rule.
    Numbers       the step is the rule's, with the other sign.
    """
    follow(self, "wrong sign", w, g, memory)


@hang(SGD(0.05, 0.8), "kernel", "momentum forgotten")
def MomentumForgotten(self, w, g, memory):
    """The velocity is replaced at each step instead of decayed: v = -lr g.

    Looks right   the first step is right, and the loss falls, only more slowly.
    The check     goes on for seven steps.
    Numbers       from step 2 on each step is that of plain descent.
    """
    follow(self, "momentum forgotten", w, g, memory)
