"""Kernels of the losses, one file each: value and gradient by the raw predictions.

============== ============================ ===================================
loss           l(f)                         dl/df
============== ============================ ===================================
hinge          max(0, 1 - m)^p, p >= 2      -p y max(0, 1 - m)^(p-1)
logistic       log(1 + e^-m)                -y / (1 + e^m)
softmax        log(sum_k e^f_k) - f_label   e^f_k / sum_j e^f_j - [k = label]
squared error  e^2 / 2                      e
huber          e^2 / (2 epsilon) or, from   e / epsilon, at most 1 in size
               |e| = epsilon on, |e| - eps. / 2
============== ============================ ===================================

with a label y = +1 or -1 and the margin m = y f, or a real target t and the error
e = f - t. Value and gradient come from one and
the same function, however far the raw predictions are out; no probability is ever
clipped on the way.

Conventions: raw predictions of a block have shape (n_outputs, n_rows), labels are those
of :mod:`~skgoodmin.kernels.losses.labels`, real targets have shape (n_rows, n_outputs).
"""
