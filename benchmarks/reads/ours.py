"""The product's API process, as `crosshead serve` runs it. Settings come from the environment."""

from benchmarks.reads.listen import listen
from crosshead import compose
from crosshead.serve import undisturbed
from crosshead.settings import Settings

if __name__ == "__main__":
    listen(undisturbed(compose.api(Settings())))  # read from the environment
