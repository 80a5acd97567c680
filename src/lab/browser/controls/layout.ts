import { LAB_PRESETS } from "../../link/presets.ts";

/** The page's frame: what is in it is filled in by the files beside this one. */
export const LAYOUT = `
<header class="top"><h1>central-flows <span>lab</span></h1>
<nav aria-label="The lab"><button type="button" class="tool" id="tour-open">Tour</button>
<button type="button" class="tool" id="share" aria-keyshortcuts="L">Copy link</button>
<details class="menu"><summary class="tool" id="export">Export</summary><div class="sheet" id="exports"></div></details>
<button type="button" class="tool" id="theme" hidden>Theme: auto</button>
<button type="button" class="tool" id="help-open" aria-label="Help and keys" aria-keyshortcuts="?">?</button></nav></header>
<main>
<section id="tour" class="card" aria-label="Tour" hidden></section>
<section id="controls" class="card" aria-label="What is run">
<div class="presets" role="group" aria-label="Examples">${LAB_PRESETS.map(
  ({ name, title, says }) =>
    `<button type="button" class="tool" data-preset="${name}" title="${says}">${title}</button>`,
).join("")}</div>
<div id="main-controls"></div>
<div id="drive"><div id="rate-place"></div><div id="pace"><span class="buttons"><button type="button" id="run" class="primary" aria-keyshortcuts="Space">Run</button>
<button type="button" id="step" class="tool" aria-keyshortcuts="S">Step</button>
<button type="button" id="reset" class="tool" aria-keyshortcuts="R">Reset</button></span>
<progress id="progress" max="1" value="0" aria-label="Rows computed"></progress><output id="pace-words"></output></div></div>
<details id="more"><summary>All settings</summary><div id="all-settings"></div></details>
</section>
<div id="notes"></div>
<div class="panels"><div class="charts" id="charts"></div>
<section class="chart picture" id="picture" aria-labelledby="picture-title" hidden><div class="bar"><h2 id="picture-title">What the network does</h2>
<div class="tools"></div></div><canvas width="480" height="480" role="img" aria-label="The network’s answers over the plane, with the training examples"></canvas><p class="aloud" id="picture-words"></p></section></div>
<section id="runs" class="card" aria-label="Runs"></section>
<p id="says" class="caption"></p>
</main>
<p id="events" class="aloud" role="status" aria-live="polite"></p>
<dialog id="help" aria-labelledby="help-title"></dialog>
<footer class="foot"><p>Computed in this page: no data leave it. <span id="figures"></span> Explained in <a href="https://arxiv.org/abs/2410.24206">Cohen et al., Understanding Optimization in Deep Learning with Central Flows</a>. The digits: E. Alpaydin, C. Kaynak (1998), UCI Machine Learning Repository, CC BY 4.0.</p></footer>`;
