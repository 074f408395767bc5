// The settings of a mode: the few that matter as controls, all others under
// "more", from the program's own table.

import { h, $, say } from './dom.js';
import { getJSON } from './api.js';

// What matters in each mode, in order, with the words of a painter.
const WORDS = {
  'style-weight': ['Strength of the painting', 'log'],
  'patch-weight': ['Strength of the painting', 'log'],
  'analogy-weight': ['Copy what the painting has there', 'log'],
  'content-weight': ['Closeness to the photograph', 'log'],
  'map-weight': ['Obedience to the map', 'log'],
  'variety': ['Variety of patches', 'unit'],
  'tv-weight': ['Smoothness', 'log'],
  'style-scale': ['Size of the strokes', 'log'],
  'color': ['Colours from', 'choice'],
};
const MATTERS = {
  art: ['style-weight', 'content-weight', 'style-scale', 'color'],
  patch: ['patch-weight', 'content-weight', 'variety', 'color'],
  doodle: ['map-weight', 'patch-weight', 'variety', 'tv-weight'],
  analogy: ['map-weight', 'analogy-weight', 'variety', 'tv-weight'],
  texture: ['style-weight', 'style-scale', 'tv-weight'],
};

// Quick choices: what they set.
export const QUALITY = {
  sketch: { title: 'Sketch', sets: { size: '256', iterations: '60,40', weights: 'mini' } },
  study: { title: 'Study', sets: { size: '512', iterations: '150,100,80', weights: '' } },
  finished: { title: 'Finished', sets: { size: '1024', iterations: '', weights: '' } },
};

export class Controls {
  constructor(app) {
    this.app = app;
    this.box = $('#controls');
    this.tables = {};
    this.values = JSON.parse(localStorage.getItem('settings') ?? '{}'); // by mode
  }

  get mode() { return this.app.mode; }
  get of() { return this.values[this.mode] ??= { ...QUALITY.sketch.sets }; }

  // chosen are the settings that differ from the program's defaults.
  chosen() {
    const known = new Set((this.tables[this.mode] ?? []).map(s => s.name));
    return Object.fromEntries(Object.entries(this.of).filter(([k, v]) => v !== '' && known.has(k)));
  }

  async show() {
    const mode = this.mode;
    this.tables[mode] ??= await getJSON(`/api/settings?mode=${mode}`);
    if (mode === this.mode) this.draw();
  }

  set(name, value) {
    this.of[name] = value;
    if (value === '') delete this.of[name];
    localStorage.setItem('settings', JSON.stringify(this.values));
    this.app.ordered();
  }

  // take sets every control from a recipe's settings.
  take(mode, list) {
    this.values[mode] = Object.fromEntries(list.filter(s => s.text).map(s => [s.name, s.text]));
    localStorage.setItem('settings', JSON.stringify(this.values));
  }

  draw() {
    const table = Object.fromEntries(this.tables[this.mode].map(s => [s.name, s]));
    const key = MATTERS[this.mode].filter(n => table[n]);
    const shown = new Set([...key, 'size', 'iterations', 'seed', 'weights']);
    const quality = Object.entries(QUALITY).find(([, q]) => Object.entries(q.sets).every(([k, v]) => (this.of[k] ?? '') === v))?.[0];
    const groups = Map.groupBy ? Map.groupBy(this.tables[this.mode].filter(s => !shown.has(s.name)), s => s.group) : new Map();
    const open = this.box.querySelector('details.more')?.open ?? false;
    this.box.replaceChildren(
      h('header', {}, h('h2', {}, 'Settings')),
      h('div', { class: 'segments', role: 'radiogroup', 'aria-label': 'Quality' }, Object.entries(QUALITY).map(([name, q]) =>
        h('button', { role: 'radio', 'aria-checked': String(quality === name), onclick: () => {
          Object.assign(this.of, q.sets);
          this.set('size', q.sets.size);
          this.draw();
        } }, q.title))),
      ...key.map(n => this.slider(table[n])),
      h('div', { class: 'pairs' },
        table.size && this.field(table.size, 'Long side, pixels'),
        table.iterations && this.field(table.iterations, 'Iterations'),
        table.seed && this.field(table.seed, 'Seed'),
        table.weights && this.field(table.weights, 'Network')),
      h('details', { class: 'more', open }, h('summary', {}, `More (${[...groups.values()].flat().length})`),
        [...groups].map(([group, list]) => h('fieldset', {}, h('legend', {}, group), list.map(s => this.field(s, s.name))))));
  }

  // slider is a setting with its number beside it. Weights move by factors.
  slider(s) {
    const [words, kind] = WORDS[s.name] ?? [s.name, 'log'];
    if (kind === 'choice') return this.field(s, words);
    const base = Number(s.default) || 1, now = () => this.of[s.name] === undefined ? Number(s.default) || 0 : Number(this.of[s.name]);
    const toPlace = v => kind === 'unit' ? v * 100 : v <= 0 ? 0 : Math.max(1, Math.min(100, 50 + 25 * Math.log10(v / base)));
    const fromPlace = p => kind === 'unit' ? p / 100 : p === 0 ? 0 : Number((base * 10 ** ((p - 50) / 25)).toPrecision(2));
    const range = h('input', { type: 'range', min: 0, max: 100, step: 1, value: toPlace(now()), id: 's-' + s.name,
      oninput: e => { number.value = fromPlace(Number(e.target.value)); }, onchange: () => keep(number.value) });
    const number = h('input', { class: 'number', inputmode: 'decimal', value: String(now()), 'aria-label': words,
      onchange: e => { range.value = toPlace(Number(e.target.value)); keep(e.target.value); } });
    const reset = h('button', { class: 'dot', title: `Back to ${s.default || 'the default'}`, 'aria-label': `${words}: back to ${s.default || 'the default'}`,
      onclick: () => { range.value = toPlace(Number(s.default) || 0); number.value = s.default; keep(''); } });
    const keep = v => {
      if (v !== '' && !Number.isFinite(Number(v))) { say(`${words} takes a number, not “${v}”.`, { bad: true }); return; }
      this.set(s.name, v === s.default ? '' : String(v));
      reset.classList.toggle('set', this.of[s.name] !== undefined);
    };
    reset.classList.toggle('set', this.of[s.name] !== undefined);
    return h('div', { class: 'slider', title: `--${s.name}: ${s.help}` }, h('label', { for: 's-' + s.name }, words), reset, range, number);
  }

  // field is a setting as text, choice or switch.
  field(s, words) {
    const now = this.of[s.name] ?? '';
    let input;
    if (!s.value) {
      input = h('select', { onchange: e => this.set(s.name, e.target.value) },
        [['', `${s.default || 'off'}`], ['true', 'on'], ['false', 'off']].map(([v, t]) => h('option', { value: v, selected: v === now }, t)));
    } else if (s.choices?.length) {
      input = h('select', { onchange: e => { this.set(s.name, e.target.value); this.draw(); } },
        [...new Set(['', ...s.choices])].map(v => h('option', { value: v, selected: v === now }, v || (s.default ? `${s.default} (usual)` : 'usual'))));
    } else {
      input = h('input', { value: now, placeholder: s.default || s.value, spellcheck: 'false', onchange: e => { this.set(s.name, e.target.value.trim()); } });
    }
    return h('label', { class: 'field', title: `--${s.name}: ${s.help}` }, h('span', {}, words), input);
  }
}
