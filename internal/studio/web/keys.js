// Keys for everything, and the sheet that lists them.

import { h, $ } from './dom.js';

const LIST = [
  ['B E G L P W S I V', 'brush, eraser, bucket, lasso, polygon, wand, edge brush, pick, move'],
  ['1 … 9', 'take a region; Alt-click picks one up from a map'],
  ['[ ] or wheel', 'size of the brush, remembered for each tool'],
  ['Ctrl+wheel, pinch, + −', 'zoom; 0 shows the whole map'],
  ['Space or middle button, drag', 'move the map, also in the middle of a polygon'],
  ['Ctrl+Z, Ctrl+Shift+Z', 'undo and redo, without limit, also after a reload'],
  ['M, H', 'mirror strokes; flip the map'],
  ['Arrows on a map', 'move a cursor (Shift: one pixel, Ctrl: draw); Enter presses'],
  ['Tab', 'from map to map, and to everything else'],
  ['Ctrl+Enter', 'paint'],
  ['Ctrl+S', 'export the map as PNG'],
  ['?', 'this sheet'],
];

export function keys(app, TOOLS) {
  const sheet = $('#keys');
  const show = () => {
    sheet.replaceChildren(h('header', {}, h('h2', { id: 'keys-title' }, 'Keys and gestures'), h('span', { class: 'gap' }), h('button', { class: 'quiet', 'aria-label': 'Close', onclick: () => sheet.close() }, '×')),
      h('dl', {}, LIST.map(([k, t]) => [h('dt', {}, k), h('dd', {}, t)]).flat()));
    sheet.showModal();
  };
  $('#to-keys').onclick = show;
  const byKey = Object.fromEntries(TOOLS.map(t => [t.key, t.name]));
  addEventListener('keydown', e => {
    const writing = e.target.matches?.('input:not([type=range]):not([type=color]), select, textarea') || document.querySelector('dialog[open]');
    const ctrl = e.ctrlKey || e.metaKey, key = e.key.toLowerCase();
    if (ctrl && key === 'enter') { e.preventDefault(); app.paint(); return; }
    if (writing) return;
    const maps = document.body.dataset.mode === 'doodle' || document.body.dataset.mode === 'analogy';
    if (ctrl && key === 'z') { e.preventDefault(); if (e.shiftKey) app.redo(); else app.undo(); return; }
    if (ctrl && key === 'y') { e.preventDefault(); app.redo(); return; }
    if (ctrl && key === 's') { e.preventDefault(); app.exportMap(app.side); return; }
    if (ctrl || e.altKey) return;
    if (key === '?') { show(); return; }
    if (key === 'escape') { app.toolbox.drop(); app.redraw(); return; }
    if (!maps) return;
    if (byKey[key]) app.choose(byKey[key]);
    else if (key >= '1' && key <= '9') app.palette.select(Number(key) - 1);
    else if (key === '[' || key === ']') { app.toolbox.resize(key === ']' ? 1 : -1); app.showTools(); app.redraw(); }
    else if (key === 'm') { app.toolbox.mirror = !app.toolbox.mirror; app.showTools(); app.redraw(); }
    else if (key === 'h') app.toolbox.flip(app.side, false);
    else return;
    e.preventDefault();
  });
}
