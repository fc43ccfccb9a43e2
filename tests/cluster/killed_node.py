"""Adds songs on two nodes, one of which is killed when the first are heard; run by test_ray.py."""

import subprocess
import sys
import time

from ray.cluster_utils import Cluster

from songprint import Library
from songprint.errors import LibraryError


def is_begun(place: str) -> bool:
    try:
        return bool(Library.open(place).files())
    except LibraryError:
        return False


if __name__ == "__main__":
    music, place = sys.argv[1:]
    head = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": 100 << 20}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    doomed = cluster.add_node(num_cpus=1, object_store_memory=100 << 20)
    songprint = [sys.executable, "-m", "songprint", "add", music, "--library", place, "--json"]
    with subprocess.Popen([*songprint, "--ray", cluster.address, "--workers", "2"]) as adding:
        while adding.poll() is None and not is_begun(place):
            time.sleep(0.1)
        in_time = adding.poll() is None
        cluster.remove_node(doomed, allow_graceful=False)
    cluster.shutdown()
    sys.exit(adding.returncode if in_time else 99)
