# SPDX-License-Identifier: Apache-2.0
"""The stack bound adds up frames along the deepest path, and reports all that it cannot bound."""

import tempfile
import unittest
from pathlib import Path

import bound


def node(name, size, kind="static"):
    return f'node: {{ title: "{name}" label: "{name}\\nx.cpp:1:1\\n{size} bytes ({kind})\\n0 dynamic objects" }}\n'


def edge(caller, callee, file="x.cpp"):
    return f'edge: {{ sourcename: "{caller}" targetname: "{callee}" label: "/there/{file}:2:2" }}\n'


def examine(text, indirect=None, sizes=None):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.ci"
        path.write_text(text)
        graph = bound.Graph()
        graph.read(path)
    graph.declare(indirect or {}, sizes or {})
    return graph.bounds(), graph.problems


class Bound(unittest.TestCase):
    chain = node("wattproof_run", 16) + node("middle", 100) + node("x.cpp:leaf", 40) + node("shallow", 120) + \
        edge("wattproof_run", "middle") + edge("middle", "x.cpp:leaf") + edge("wattproof_run", "shallow")

    def test_adds_the_deepest_path(self):
        bounds, problems = examine(self.chain)
        self.assertEqual([], problems)
        self.assertEqual((156, ("wattproof_run", "middle", "x.cpp:leaf")), bounds["wattproof_run"])

    def test_follows_a_constructor_by_its_other_name(self):
        bounds, problems = examine(node("wattproof_run", 16) + node("_ZN1AC2Ev", 8) + edge("wattproof_run", "_ZN1AC1Ev"))
        self.assertEqual([], problems)
        self.assertEqual(24, bounds["wattproof_run"][0])

    def test_reports_recursion(self):
        self.assertIn("recursion", examine(self.chain + edge("x.cpp:leaf", "middle"))[1][0])

    def test_reports_a_function_without_size_until_one_is_declared(self):
        text = self.chain + edge("middle", "memcpy")
        self.assertIn("no size", examine(text)[1][0])
        bounds, problems = examine(text, sizes={"memcpy": 200})
        self.assertEqual([], problems)
        self.assertEqual(316, bounds["wattproof_run"][0])

    def test_reports_a_frame_of_variable_size(self):
        text = self.chain + node("vla", 8, "dynamic") + edge("middle", "vla")
        self.assertIn("variable size", examine(text)[1][0])

    def test_reports_an_indirect_call_until_its_targets_are_declared(self):
        text = self.chain + edge("shallow", "__indirect_call")
        self.assertIn("pointer", examine(text)[1][0])
        bounds, problems = examine(text, indirect={"shallow": ["leaf"]})
        self.assertEqual([], problems)
        self.assertEqual(176, bounds["wattproof_run"][0])

    def test_reports_a_declaration_that_nothing_needs(self):
        self.assertIn("no pointer", examine(self.chain, indirect={"middle": ["leaf"]})[1][0])

    # A layer above another with the same names: write() -> encrypt() -> write() -> put().
    layers = node("wattproof_run", 16) + node("write", 8) + node("encrypt", 100) + node("put", 40) + \
        edge("wattproof_run", "write") + edge("write", "__indirect_call") + edge("encrypt", "write", "tls.cpp")

    def test_layers_that_share_names_are_recursion_until_they_are_told_apart(self):
        self.assertIn("recursion", examine(self.layers, {"write": ["encrypt", "put"]})[1][0])
        for place in ("tls.cpp", "encrypt"):
            bounds, problems = examine(self.layers, {"write": ["encrypt", "put"], f"write@{place}": ["put"]})
            self.assertEqual([], problems)
            self.assertEqual((172, ("wattproof_run", "write", "encrypt", f"write@{place}", "put")), bounds["wattproof_run"])

    def test_one_layer_declared_leaves_the_other_to_be_declared(self):
        self.assertIn("pointer", examine(self.layers, {"write@tls.cpp": ["put"]})[1][0])
        self.assertIn("not called from there", examine(self.layers, {"write": ["put"], "write@dtls.cpp": ["put"]})[1][0])

    def test_a_call_from_elsewhere_is_not_taken_for_the_layers(self):
        text = self.layers + edge("encrypt", "write", "other.cpp")
        self.assertIn("recursion", examine(text, {"write": ["encrypt"], "write@tls.cpp": ["put"]})[1][0])

    def test_leaves_out_a_direct_call_that_is_not_made_from_there(self):
        text = node("wattproof_run", 16) + node("close", 8) + node("failed", 4) + node("tell", 50) + edge("wattproof_run", "close") + \
            edge("close", "failed") + edge("close", "tell") + edge("failed", "close")
        self.assertIn("recursion", examine(text)[1][0])
        bounds, problems = examine(text, {"close@failed": ["-failed"]})
        self.assertEqual((86, ("wattproof_run", "close", "failed", "close@failed", "tell")), bounds["wattproof_run"])

    def test_ignores_what_no_entry_point_reaches(self):
        self.assertEqual([], examine(self.chain + node("lonely", 8) + edge("lonely", "malloc"))[1])


if __name__ == "__main__":
    unittest.main()
