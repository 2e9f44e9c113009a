"""Into how many partial sums the gradient of a kernel is split."""

# Any value from 1 on is right. Threads share out a batch by chunks, each with a partial sum of its own, and these are
# added in a fixed order. If there were one chunk per thread, bits would depend on the number of threads.
CHUNKS = 8
