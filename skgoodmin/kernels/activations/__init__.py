"""Activation functions of the hidden units, one file each.

======== ================ ===========================
name     value            slope
======== ================ ===========================
identity z                1
logistic s = 1/(1+e^-z)   s (1 - s)
tanh     t = tanh z       1 - t^2
relu     max(z, 0)        1 where z > 0, else 0
softplus log(1 + e^z)     1/(1+e^-z)
silu     z s              s (1 + z (1 - s))
======== ================ ===========================

The slopes of the first four follow from the value, so training stores the value
alone; softplus and silu store their slope beside it.
"""

from .activation import Activation, Form
from .identity import IDENTITY
from .logistic import LOGISTIC
from .relu import RELU
from .silu import SILU
from .softplus import SOFTPLUS
from .tanh import TANH

ACTIVATIONS = {
    activation.name: activation
    for activation in (IDENTITY, LOGISTIC, TANH, RELU, SOFTPLUS, SILU)
}

__all__ = ["ACTIVATIONS", "Activation", "Form"]
