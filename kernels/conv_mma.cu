// conv_mma.cu: the convolutions of conv_mma.cuh with three stages of weights: a tap
// is multiplied, the next may still be on its way, and one is asked for.
#include "conv_mma.cuh"

FORWARD(conv_half_fwd_128, 128, 3, 2)
FORWARD(conv_half_fwd_64, 64, 3, 3)
BACKWARD(conv_half_bwd_128, 128, 3, 2)
BACKWARD(conv_half_bwd_64, 64, 3, 3)
BACKWARD_POOLED(conv_half_bwd_pooled_128, 128, 3, 2)
BACKWARD_POOLED(conv_half_bwd_pooled_64, 64, 3, 3)
