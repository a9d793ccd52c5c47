"""The parts of what labels add up to that go by a name in more than one place."""

from typing import Final

# Of the score's calibration, for each of its drift bins: rows, those that came true, Σ score and Σ score².
CALIBRATION_RUNS: Final = 4

# Of a regression's errors, for each drift bin of the value an exact sum.
LOSS_SUMS: Final = ("loss_absolute", "loss_squared", "loss_signed", "loss_fourth")

# Of a regression with bins, what the interval of R² needs beside: with the error e and the label's distance d from the
# middle of the bins, exact sums of e²·d, e²·d², d³ and d⁴.
MOMENT_SUMS: Final = ("cross_first", "cross_second", "label_third", "label_fourth")

# Of probabilities: what each row is off by, and the square of that.
PROBABILITY_SUMS: Final = ("brier", "brier_squared", "log_loss", "log_loss_squared")
