// conv_two_mma.cu: the convolutions of conv_mma.cuh with two stages of weights: 4 or
// 8 KiB less shared memory, so three blocks of 64 channels fit a multiprocessor of
// capability 8.6 or 8.9 where three stages let two, and a wait for every copy.
#include "conv_mma.cuh"

FORWARD(conv_half_fwd_128_two, 128, 2, 2)
FORWARD(conv_half_fwd_64_two, 64, 2, 3)
BACKWARD(conv_half_bwd_128_two, 128, 2, 2)
BACKWARD(conv_half_bwd_64_two, 64, 2, 3)
BACKWARD_POOLED(conv_half_bwd_pooled_128_two, 128, 2, 2)
BACKWARD_POOLED(conv_half_bwd_pooled_64_two, 64, 2, 3)
