"""Many small markets at once, in each of which one learner acts: a step of all of them."""
