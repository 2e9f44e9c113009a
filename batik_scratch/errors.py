"""The one exception for input that breaks a rule."""


class InputError(ValueError):
    """An argument, option, file or folder breaks a rule.

    The message gives the rule, what was received, and how to mend it; it is written for the person who
    typed the command or the line of code, so the command line prints it alone, without a traceback.
    """


class TrainingDiverged(ArithmeticError):
    """The loss became infinite or NaN; the message says at which epoch and batch, and what to try."""
