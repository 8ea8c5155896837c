# SPDX-License-Identifier: Apache-2.0
"""Training of Runnel's own models: data, net, loop, batch-norm folding, int8 quantization.

Needs the extra `runnel[search]`: PyTorch and Pillow, for sounds also soundfile and SciPy. In the package only
runnel.kws, which measures keyword models, imports from here.
"""
