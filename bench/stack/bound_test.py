# SPDX-License-Identifier: Apache-2.0
"""The stack bound adds up frames along the deepest path, and reports all that it cannot bound."""

import tempfile
import unittest
from pathlib import Path

import bound


def node(name, size, kind="static"):
    return f'node: {{ title: "{name}" label: "{name}\\nx.cpp:1:1\\n{size} bytes ({kind})\\n0 dynamic objects" }}\n'


def edge(caller, callee):
    return f'edge: {{ sourcename: "{caller}" targetname: "{callee}" label: "x.cpp:2:2" }}\n'


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

    def test_ignores_what_no_entry_point_reaches(self):
        self.assertEqual([], examine(self.chain + node("lonely", 8) + edge("lonely", "malloc"))[1])


if __name__ == "__main__":
    unittest.main()
