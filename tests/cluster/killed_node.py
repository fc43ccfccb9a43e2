"""Adds songs on two nodes, one of which is killed when the first are heard; run by test_ray.py."""

import sys

import ray
from ray.cluster_utils import Cluster as TestCluster

from songprint import Library
from songprint.cluster.workplace import Cluster
from songprint.library.ingest import Step, add_folders

if __name__ == "__main__":
    music, place = sys.argv[1:]
    head = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": 100 << 20}
    cluster = TestCluster(initialize_head=True, head_node_args=head)
    doomed = [cluster.add_node(num_cpus=1, object_store_memory=100 << 20)]
    ray.init(address=cluster.address, log_to_driver=False)

    def on_step(step: Step) -> None:
        if step.added.heard and doomed:
            cluster.remove_node(doomed.pop(), allow_graceful=False)

    library = Library.open(place, create=True)
    added = add_folders(library, [music], workplace=Cluster("auto", 2), on_step=on_step)
    sys.stdout.write(f"{added.heard} {len(added.failed)} {len(doomed)}\n")
