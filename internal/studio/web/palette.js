// The regions: one palette for both maps. The label is the brush.

import { h, $, icon, say } from './dom.js';
import { parseColour, distance, NEAR } from './doc.js';

export class Palette {
  constructor(app) {
    this.app = app;
    this.box = $('#regions');
    this.listed = '';
    app.doc.listeners.add(c => { if (c.step || c.regions) this.show(); });
    this.show();
  }

  // select takes a region for the brush.
  select(i) {
    const { doc, toolbox } = this.app;
    toolbox.label = Math.max(0, Math.min(doc.regions.length - 1, i));
    this.show();
  }

  show() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => { this.asked = false; this.draw(); });
  }

  draw() {
    const { doc, toolbox } = this.app;
    if (toolbox.label >= doc.regions.length) toolbox.label = 0;
    const held = document.activeElement?.dataset?.key; // what has the focus keeps it
    const total = side => doc[side] ? doc[side].w * doc[side].h : 1;
    const n = { painting: doc.counts('painting'), canvas: doc.counts('canvas') };
    const share = (side, i) => 100 * n[side][i] / total(side);
    const rows = doc.regions.map((r, i) => {
      const on = i === toolbox.label;
      const row = h('li', { class: on ? 'region on' : 'region', onmouseenter: () => this.app.light(i), onmouseleave: () => this.app.light(-1) },
        h('button', { class: 'swatch', role: 'radio', 'aria-checked': on ? 'true' : 'false', 'data-key': 'swatch' + i, onclick: () => this.select(i),
          'aria-label': `Paint with ${r.name || 'region ' + (i + 1)}`, title: i < 9 ? `Key ${i + 1}` : '' },
        h('span', { class: 'number' }, i < 9 ? String(i + 1) : '')),
        h('input', { class: 'name', value: r.name, placeholder: i === 0 ? 'ground' : 'name it', maxlength: 60, 'data-key': 'name' + i, 'aria-label': `Name of region ${i + 1}`,
          onfocus: () => { if (toolbox.label !== i) this.select(i); }, onchange: e => doc.rename(i, e.target.value.trim()) }),
        this.bar('painting', share('painting', i)), this.bar('canvas', share('canvas', i)));
      const s = $('.swatch', row);
      s.style.background = r.colour;
      const [red, g, b] = parseColour(r.colour);
      s.style.color = 0.3 * red + 0.59 * g + 0.11 * b > 140 ? '#000' : '#fff';
      return row;
    });
    this.box.replaceChildren(
      h('header', {}, h('h2', {}, 'Regions'), h('span', { class: 'gap' }), h('span', { class: 'cols', 'aria-hidden': 'true' }, h('span', {}, 'painting'), h('span', {}, 'canvas'))),
      h('ul', { role: 'radiogroup', 'aria-label': 'Region to paint with' }, rows),
      this.tools());
    if (held) $(`[data-key="${held}"]`, this.box)?.focus();
  }

  bar(side, percent) {
    const text = percent === 0 ? '–' : percent < 1 ? '<1 %' : `${Math.round(percent)} %`;
    const e = h('span', { class: percent ? 'share' : 'share none', title: `${text === '–' ? 'nothing' : text} of the ${side}` }, text);
    return e;
  }

  // tools are what can be done with the region that is held.
  tools() {
    const { doc, toolbox } = this.app, i = toolbox.label, r = doc.regions[i];
    const names = doc.regions.map((q, j) => [j, q.name || `region ${j + 1}`]).filter(([j]) => j !== i);
    const choose = (label, key, f) => h('select', { 'aria-label': label, 'data-key': key, disabled: !names.length,
      onchange: e => { const j = Number(e.target.value); e.target.value = ''; if (j >= 0) f(j); } },
    h('option', { value: '' }, label), names.map(([j, text]) => h('option', { value: j }, text)));
    return h('div', { class: 'region-tools' },
      h('button', { 'data-key': 'add', onclick: () => { const j = doc.addRegion(); if (j >= 0) this.select(j); } }, '+ Region'),
      r && h('label', { class: 'colour', title: 'Another colour for this region' },
        h('input', { type: 'color', value: r.colour, 'data-key': 'colour', 'aria-label': 'Colour of this region', onchange: e => {
          if (!doc.recolour(i, e.target.value)) {
            const other = doc.regions.find((q, j) => j !== i && distance(q.colour, e.target.value) <= NEAR);
            say(`That colour is too near to ${other.name || 'another region'}: they would be read as one.`, { bad: true });
            this.show();
          }
        } })),
      r && choose('Merge…', 'merge', j => { doc.merge(j, i); this.select(j > i ? j - 1 : j); }),
      r && choose('Swap…', 'swap', j => doc.swap(i, j, this.app.side)));
  }
}

// Checks says what is wrong with the maps while one paints, beside what mends it.
export class Checks {
  constructor(app) {
    this.app = app;
    this.box = $('#checks');
    this.findings = [];
  }

  show(findings) {
    this.findings = findings;
    const wrong = findings.filter(f => f.severity !== 'note'), notes = findings.filter(f => f.severity === 'note');
    const row = f => h('li', { class: 'finding ' + f.severity, tabindex: 0,
      onmouseenter: () => this.point(f), onfocus: () => this.point(f), onmouseleave: () => this.app.light(-1), onblur: () => this.app.light(-1) },
    h('span', { class: 'mark', 'aria-hidden': 'true' }, f.severity === 'error' ? '!' : f.severity === 'warning' ? '▲' : 'i'),
    h('p', {}, h('b', {}, f.side === 'canvas' ? 'Canvas. ' : 'Painting. '), f.message.replace(/ #[0-9a-f]{6}\b/g, '')),
    f.mend && h('button', { class: 'mend', onclick: () => this.app.mend(f) }, f.mend));
    this.box.replaceChildren(
      h('header', {}, h('h2', {}, 'Checks'), h('span', { class: 'gap' }),
        h('span', { class: wrong.length ? 'count' : 'count good' }, wrong.length ? `${wrong.length} to look at` : 'ready to paint')),
      h('ul', {}, wrong.map(row)),
      notes.length ? h('details', { open: this.box.querySelector('details')?.open ?? false }, h('summary', {}, `${notes.length} ${notes.length === 1 ? 'note' : 'notes'}`), h('ul', {}, notes.map(row))) : '');
  }

  // point lights up the region that a finding is about.
  point(f) {
    const i = this.app.doc.regions.findIndex(r => r.colour === f.region);
    this.app.light(i, f.side);
  }
}

// buildTools draws the tool bar and returns what brings it up to date.
export function buildTools(app, TOOLS) {
  const { toolbox, doc } = app, box = $('#tools');
  const buttons = TOOLS.map(t => h('button', { class: 'tool', 'data-tool': t.name, 'aria-label': t.title, title: `${t.title} (${t.key.toUpperCase()}). ${t.hint}`,
    'aria-pressed': 'false', onclick: () => app.choose(t.name) }, icon(t.name)));
  const mirror = h('button', { class: 'tool', 'aria-label': 'Mirror strokes', title: 'Mirror: strokes are also painted left-right mirrored (M)', 'aria-pressed': 'false',
    onclick: () => { toolbox.mirror = !toolbox.mirror; show(); app.redraw(); } }, icon('mirror'));
  const flip = h('button', { class: 'tool', 'aria-label': 'Flip the map', title: 'Flip the map left to right (H)', onclick: () => toolbox.flip(app.side, false) }, icon('flip'));
  const fit = h('button', { class: 'tool', 'aria-label': 'Whole map', title: 'Show the whole map (0)', onclick: () => app.fit() }, icon('fit'));
  const undo = h('button', { class: 'tool', id: 'undo', 'aria-label': 'Undo', onclick: () => app.undo() }, icon('undo'));
  const redo = h('button', { class: 'tool', id: 'redo', 'aria-label': 'Redo', onclick: () => app.redo() }, icon('redo'));
  const size = h('input', { type: 'range', min: 1, max: 300, 'aria-label': 'Brush size', title: 'Brush size', oninput: e => {
    const name = toolbox.tool in toolbox.sizes ? toolbox.tool : 'brush';
    toolbox.sizes[name] = Number(e.target.value);
    show();
    app.redraw();
  } });
  const number = h('output', { class: 'size' });
  box.append(...buttons, h('hr'), mirror, flip, fit, h('hr'), undo, redo, h('hr'), h('div', { class: 'sizer' }, size), number);
  const show = () => {
    for (const b of buttons) b.setAttribute('aria-pressed', String(b.dataset.tool === toolbox.tool));
    mirror.setAttribute('aria-pressed', String(toolbox.mirror));
    undo.disabled = !doc.canUndo;
    redo.disabled = doc.at >= doc.steps.length;
    undo.title = doc.canUndo ? `Undo: ${doc.steps[doc.at - 1].what} (Ctrl+Z)` : 'Nothing to undo';
    redo.title = doc.at < doc.steps.length ? `Redo: ${doc.steps[doc.at].what} (Ctrl+Shift+Z)` : 'Nothing to redo';
    size.value = toolbox.size;
    number.textContent = toolbox.tool === 'wand' ? `±${toolbox.tolerance}` : `${toolbox.size} px`;
  };
  doc.listeners.add(c => { if (c.step) show(); });
  show();
  return show;
}
