import { dirname } from "node:path";
import { expect, test } from "vitest";
import { filesBelow } from "./sources.ts";

const isIndex = (path: string): boolean => path.endsWith("/index.ts");

const links = filesBelow("src", ".ts", ".js").flatMap(({ path, imports }) =>
  imports.flatMap(({ target }) => (target === undefined ? [] : [{ from: path, to: target }])),
);

/** Every group of nodes that lead to each other (Tarjan's strongly connected components of more than one). */
function circles(edges: readonly { readonly from: string; readonly to: string }[]): string[][] {
  const next = new Map<string, Set<string>>();
  for (const { from, to } of edges) {
    if (from === to) continue;
    next.set(from, (next.get(from) ?? new Set()).add(to));
    if (!next.has(to)) next.set(to, new Set());
  }
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const found: string[][] = [];
  const visit = (node: string): void => {
    order.set(node, order.size);
    low.set(node, order.get(node)!);
    open.push(node);
    for (const target of next.get(node)!) {
      if (!order.has(target)) visit(target);
      if (open.includes(target)) low.set(node, Math.min(low.get(node)!, low.get(target)!));
    }
    if (low.get(node) !== order.get(node)) return;
    const circle = open.splice(open.indexOf(node));
    if (circle.length > 1) found.push(circle.sort());
  };
  for (const node of next.keys()) if (!order.has(node)) visit(node);
  return found;
}

test("circles are found: those of two and of three, not a path", () => {
  const edges = ["ab", "bc", "ca", "cd", "de", "ed", "ef"].map(([from, to]) => ({ from, to }));
  expect(circles(edges)).toEqual([
    ["d", "e"],
    ["a", "b", "c"],
  ]);
});

test("files form no circle, by values or by types", () => {
  expect(circles(links)).toEqual([]);
});

test("folders form no circle; a layer's index is its door and counts for none", () => {
  const folders = links
    .filter(({ from, to }) => !isIndex(from) && !isIndex(to))
    .map(({ from, to }) => ({ from: dirname(from), to: dirname(to) }));
  expect(folders.length).toBeGreaterThan(100);
  expect(circles(folders)).toEqual([]);
});
