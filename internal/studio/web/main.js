// The page: it holds the order (what is to be painted from what), the document
// (the maps), and joins the parts.

import { h, $, say, tellProblem, thumb, title, debounce, spanOf } from './dom.js';
import * as api from './api.js';
import { Doc, SIDES } from './doc.js';
import { Toolbox, TOOLS } from './tools.js';
import { MapView } from './view.js';
import { Store } from './store.js';
import { Palette, Checks, buildTools } from './palette.js';
import { Controls } from './controls.js';
import { Pictures, recipeOf } from './pictures.js';
import { Strip } from './strip.js';
import { Gallery } from './gallery.js';
import { keys } from './keys.js';

const MODES = { doodle: 'Doodle', art: 'Art', patch: 'Patches', analogy: 'Analogy', texture: 'Texture' };
const TELLS = {
  doodle: 'Paint a map of regions; it is painted in the manner of the painting.',
  art: 'Paint a photograph in the manner of one or more paintings.',
  patch: 'Paint a photograph from patches of the painting.',
  analogy: 'Change the map of a painting; the painting follows.',
  texture: 'Paint a new picture with the texture of the painting.',
};
const isMap = mode => mode === 'doodle' || mode === 'analogy';

class App {
  constructor() {
    this.doc = new Doc();
    this.toolbox = new Toolbox(this.doc, i => this.palette.select(i));
    this.side = 'canvas';
    this.order = { mode: 'doodle', content: '', under: '', styles: [], canvasName: 'my-map_sem.png', init: '' };
    Object.assign(this.order, JSON.parse(localStorage.getItem('order') ?? '{}'));
    this.lintSoon = debounce(() => this.lint(), 500);
    this.orderedSoon = debounce(() => this.showCommand(), 250);
  }

  get mode() { return this.order.mode; }

  async start() {
    const store = await Store.open();
    if (store) {
      const { steps, at } = await store.read();
      try { this.doc.replay(steps, at); } catch { store.clear(); this.doc = new Doc(); }
      this.doc.store = store;
      store.failed = () => say('This browser does not keep your strokes any more: its storage is full or closed. Save the map.', { bad: true });
    } else say('Strokes are not kept over a reload: another tab has this folder open.', { bad: true });
    this.palette = new Palette(this);
    this.checks = new Checks(this);
    this.showTools = buildTools(this, TOOLS);
    this.views = Object.fromEntries(SIDES.map(side => [side, new MapView($(`#${side}-box`), side, this.doc, this.toolbox, {
      label: side === 'canvas' ? 'Map of the canvas' : 'Map of the painting',
      changed: what => { if (what === 'focus') this.side = side; this.showTools(); },
    })]));
    for (const side of SIDES) {
      const range = $(`#${side}-opacity`), view = this.views[side];
      range.oninput = () => { view.opacity = range.value / 100; view.draw(); };
      range.oninput();
      this.foot(side);
    }
    this.controls = new Controls(this);
    this.pictures = new Pictures(this);
    this.strip = new Strip(this);
    this.gallery = new Gallery(this);
    this.doc.listeners.add(c => { if (c.step) { this.stale = true; this.lintSoon(); } });
    this.buildModes();
    this.buildGo();
    keys(this, TOOLS);
    for (const b of document.querySelectorAll('button.choose')) b.onclick = () => this.choosePicture(b.dataset.what);
    addEventListener('connected', e => { $('#connection').textContent = e.detail ? '' : 'Server away. What you paint is kept here.'; });
    addEventListener('locked', () => { if (!$('#locked').open) $('#locked').showModal(); });
    await this.pictures.refresh();
    const state = await api.getJSON('/api/state');
    $('#folder').textContent = state.folder;
    this.strip.setJobs(state.jobs);
    await this.strip.refresh();
    const files = debounce(() => { this.strip.refresh().catch(() => {}); this.pictures.refresh().catch(() => {}); }, 150);
    api.listen({ job: j => this.strip.hear(j), jobs: l => this.strip.setJobs(l), files },
      () => api.getJSON('/api/jobs').then(l => { this.strip.setJobs(l); files(); }).catch(() => {}));
    await this.first();
    this.setMode(this.mode);
    document.body.dataset.ready = 'yes';
  }

  // first lays out samples where nothing was chosen yet.
  async first() {
    const o = this.order;
    o.styles = o.styles.filter(n => this.pictures.find(n));
    for (const k of ['content', 'under', 'init']) if (o[k] && !this.pictures.find(o[k])) o[k] = '';
    if (!o.styles.length && !this.doc.at) {
      o.content = 'sample:valley';
      o.styles = ['sample:strokes'];
    }
    this.doc.laying = true;
    if (!this.doc.painting && o.styles.length) await this.loadMapOf('painting', o.styles[0]);
    if (!this.doc.canvas) this.copyPainting(); // without fault, and worth changing
    this.doc.laying = false;
    this.keep();
    this.showPictures();
  }

  keep() { localStorage.setItem('order', JSON.stringify(this.order)); this.ordered(); }
  ordered() { this.orderedSoon(); }

  // --- modes and pages ---

  buildModes() {
    const tabs = $('#modes');
    for (const [mode, words] of Object.entries(MODES)) {
      tabs.append(h('button', { role: 'tab', 'data-mode': mode, title: TELLS[mode], onclick: () => { this.page('studio'); this.setMode(mode); } }, words));
    }
    tabs.onkeydown = e => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key], list = [...tabs.children];
      if (step) list[(list.indexOf(document.activeElement) + step + list.length) % list.length].focus();
    };
    $('#to-gallery').onclick = () => { if ($('#gallery').hidden) this.gallery.open(); else this.page('studio'); };
  }

  page(name) {
    $('#gallery').hidden = name !== 'gallery';
    $('#studio').hidden = $('#strip').hidden = name === 'gallery';
    $('#to-gallery').setAttribute('aria-pressed', String(name === 'gallery'));
  }

  setMode(mode) {
    this.order.mode = mode;
    document.body.dataset.mode = mode;
    for (const t of $('#modes').children) {
      t.setAttribute('aria-selected', String(t.dataset.mode === mode));
      t.tabIndex = t.dataset.mode === mode ? 0 : -1;
    }
    this.keep();
    this.showPictures();
    this.controls.show().catch(tellProblem);
    if (isMap(mode)) this.lintSoon();
  }

  // --- pictures ---

  async choosePicture(what) {
    const name = await this.pictures.choose({ content: 'A photograph', style: 'A painting to learn from', more: 'Another painting' }[what],
      { prefer: what === 'content' ? 'content' : 'painting' });
    if (!name) return;
    if (what === 'content') this.setContent(name);
    else if (what === 'style') this.setStyle(name);
    else { this.order.styles = [...new Set([...this.order.styles, name])]; this.keep(); this.showPictures(); }
  }

  async setContent(name) {
    this.order[isMap(this.mode) ? 'under' : 'content'] = name;
    this.keep();
    this.showPictures();
    if (!isMap(this.mode)) return;
    if (!this.doc.canvas) { await this.loadMapOf('canvas', name); return; }
    say(`${title(name)} lies under the canvas; the map stays as it is.`, { action: ['Use its own map', () => this.loadMapOf('canvas', name)] });
  }

  async setStyle(name) {
    this.order.styles = [name];
    this.keep();
    this.showPictures();
    await this.loadMapOf('painting', name);
  }

  // loadMapOf takes the map that belongs to a picture, or derives one.
  async loadMapOf(side, name) {
    const p = this.pictures.find(name);
    try {
      const m = p?.map ? await api.readMap(p.map) : await api.derive(name, 6);
      this.doc.load(side, m, p?.map ? `the map of ${title(name)}` : `a map derived of ${title(name)}`);
      if (side === 'canvas') this.order.canvasName = title(name) + '_sem.png';
      for (const n of m.notes) say(n);
      this.keep();
      this.foot(side);
    } catch (err) { tellProblem(err); }
  }

  async importMap(side, file) {
    try {
      const m = await api.importMap(file);
      this.doc.load(side, m, `the map ${file.name}`);
      say(m.notes.length ? `${file.name} was repaired: ${m.notes.join('; ')}.` : `${file.name} is a clean map.`);
      return true;
    } catch (err) {
      tellProblem(err);
      return false;
    }
  }

  showPictures() {
    const o = this.order, img = name => h('img', { src: thumb(name, 640, this.pictures.find(name)?.changed), alt: title(name) });
    $('#photo-box').replaceChildren(o.content ? img(o.content) : h('p', { class: 'empty' }, 'Drop a photograph here, or choose one.'));
    $('#styles-box').replaceChildren(...(o.styles.length ? o.styles.map(n => h('figure', {}, img(n), o.styles.length > 1 && h('button', { class: 'off', 'aria-label': `Without ${title(n)}`,
      onclick: () => { o.styles = o.styles.filter(m => m !== n); this.keep(); this.showPictures(); } }, '×'))) : [h('p', { class: 'empty' }, 'Drop a painting here, or choose one.')]));
    this.underlay('painting', o.styles[0]);
    this.underlay('canvas', o.under);
  }

  // underlay shows a picture below a map, and keeps its pixels for the wand.
  underlay(side, name) {
    const view = this.views[side];
    if (view.under === name) return;
    view.under = name;
    view.picture = null;
    delete this.toolbox.pictures[side];
    delete this.toolbox.cellsOf[side];
    view.draw();
    if (!name) return;
    const picture = new Image();
    picture.src = thumb(name, 1024, this.pictures.find(name)?.changed);
    picture.onload = () => {
      if (view.under !== name) return;
      view.picture = picture;
      view.draw();
      this.prepare(this.toolbox.tool);
    };
  }

  // prepare gets what a tool needs of the pictures below the maps.
  async prepare(tool) {
    for (const side of SIDES) {
      const m = this.doc[side], view = this.views[side];
      if (!m || !view.picture) continue;
      if (tool === 'wand' && this.toolbox.pictures[side]?.length !== 4 * m.labels.length) {
        const sheet = new OffscreenCanvas(m.w, m.h), c = sheet.getContext('2d', { willReadFrequently: true });
        c.drawImage(view.picture, 0, 0, m.w, m.h);
        this.toolbox.pictures[side] = c.getImageData(0, 0, m.w, m.h).data;
      }
      if (tool === 'cells' && this.toolbox.cellsOf[side]?.length !== m.labels.length) {
        try { this.toolbox.cellsOf[side] = await api.superpixels(view.under, m.w, m.h, 1200); } catch (err) { tellProblem(err); }
      }
    }
  }

  // --- maps ---

  // foot is what can be done with a whole map.
  foot(side) {
    const canvas = side === 'canvas', value = h('output', {}, '6');
    const from = () => canvas ? this.order.under : this.order.styles[0];
    const run = async n => {
      if (!from()) { say(canvas ? 'Choose a photograph to derive the map from.' : 'Choose a painting first.', { bad: true }); return; }
      document.body.classList.add('busy');
      try { this.doc.load(side, await api.derive(from(), n), `a map of ${n} regions`); } catch (err) { tellProblem(err); }
      document.body.classList.remove('busy');
    };
    const slider = h('input', { type: 'range', min: 3, max: 16, value: 6, 'aria-label': 'Number of regions', oninput: e => { value.textContent = e.target.value; }, onchange: e => run(Number(e.target.value)) });
    const open = h('input', { type: 'file', accept: 'image/*', class: 'unseen', 'aria-label': 'A map of this computer', onchange: e => this.importMap(side, e.target.files[0]) });
    const menu = h('details', { class: 'menu' }, h('summary', {}, 'Map ▴'), h('div', {},
      canvas && h('button', { onclick: () => this.blank() }, 'New, empty…'),
      h('button', { title: 'A map of the folder or a sample', onclick: async () => {
        const name = await this.pictures.choose('A map', { maps: true });
        if (name) api.readMap(name).then(m => this.doc.load(side, m)).catch(tellProblem);
      } }, 'Open…'),
      canvas && h('button', { title: 'Start from what the painting shows', onclick: () => this.copyPainting() }, 'Take the painting’s'),
      h('label', { class: 'button', title: 'A map made elsewhere; soft edges and stray colours are repaired' }, 'Import…', open),
      h('button', { onclick: () => this.exportMap(side) }, 'Export PNG')));
    menu.onclick = e => { if (e.target.matches('button')) menu.open = false; };
    menu.addEventListener('focusout', e => { if (!menu.contains(e.relatedTarget)) menu.open = false; });
    const parts = [
      h('label', { class: 'derive', title: 'Draw a first map of the picture below: colour, features and place' }, h('button', { onclick: () => run(Number(slider.value)) }, 'Derive'), slider, value),
      h('span', { class: 'gap' }),
      canvas && h('input', { class: 'file-name', value: this.order.canvasName, 'aria-label': 'File of the canvas map', title: 'The file this map is saved as when you paint', spellcheck: 'false',
        onchange: e => { this.order.canvasName = mapName(e.target.value); e.target.value = this.order.canvasName; this.keep(); } }),
      menu];
    $(`#${side}-foot`).replaceChildren(...parts.filter(Boolean));
  }

  // copyPainting makes the canvas a copy of the painting's map, to be changed.
  copyPainting(what = 'the painting\u2019s map') {
    const m = this.doc.painting;
    if (!m) return;
    this.doc.begin(what);
    this.doc.setSide('canvas', m.w, m.h, m.labels);
    this.doc.commit();
  }

  blank() {
    const text = prompt('Size of the new canvas, in pixels', this.doc.canvas ? `${this.doc.canvas.w}x${this.doc.canvas.h}` : '768x512');
    const [, w, hgt] = (text ?? '').match(/^\s*(\d+)\s*[x×*,]\s*(\d+)\s*$/) ?? [];
    if (!text) return;
    if (!w || w < 16 || hgt < 16 || w * hgt > 32 << 20) { say(`A size such as 768x512 is needed, at least 16x16; got “${text}”.`, { bad: true }); return; }
    this.doc.begin('a new canvas');
    if (!this.doc.regions.length) this.doc.setRegions([{ colour: '#0080ff', name: '' }]);
    this.doc.setSide('canvas', Number(w), Number(hgt), new Uint8Array(w * hgt).fill(Math.min(this.toolbox.label, this.doc.regions.length - 1)));
    this.doc.commit();
  }

  async exportMap(side) {
    if (!this.doc[side]) return;
    try {
      const blob = await api.mapPNG(this.doc.wire(side));
      const a = h('a', { href: URL.createObjectURL(blob), download: side === 'canvas' ? this.order.canvasName : `${title(this.order.styles[0] ?? 'painting')}_sem.png` });
      a.click();
      setTimeout(() => URL.revokeObjectURL(a.href), 10000);
    } catch (err) { tellProblem(err); }
  }

  async lint() {
    if (!isMap(this.mode) || !this.doc.canvas) return;
    if (this.toolbox.g) { this.lintSoon(); return; } // the bucket fills before its button is let go
    const at = this.doc.at;
    try {
      const { findings } = await api.lint(this.doc.wire('canvas'), this.doc.painting && this.doc.wire('painting'));
      if (at === this.doc.at) { this.checks.show(findings); this.stale = false; }
    } catch { /* told by the connection */ }
  }

  async mend(f) {
    try {
      const m = await api.mend(this.doc.wire('canvas'), this.doc.painting && this.doc.wire('painting'), f);
      this.light(-1);
      this.doc.load(f.side, m, f.mend.toLowerCase());
      await this.lint();
    } catch (err) { tellProblem(err); }
  }

  light(region, side = null) { for (const s of SIDES) this.views[s].lightUp(side && s !== side ? -1 : region); }
  redraw() { for (const s of SIDES) this.views[s].paintOver(); }
  fit() { for (const s of SIDES) this.views[s].fit(); }
  choose(tool) { this.toolbox.choose(tool); this.showTools(); this.redraw(); this.prepare(tool); }
  undo() { this.toolbox.drop(); this.doc.undo(); }
  redo() { this.toolbox.drop(); this.doc.redo(); }

  // --- painting ---

  buildGo() {
    this.line = h('code', { tabindex: 0, 'aria-label': 'The command that does the same' });
    this.paintButton = h('button', { class: 'primary', title: 'Ctrl+Enter', onclick: () => this.paint() }, 'Paint');
    $('#go').replaceChildren(h('div', { class: 'command' }, this.line, h('button', { class: 'quiet', title: 'Copy the command', 'aria-label': 'Copy the command',
      onclick: () => navigator.clipboard.writeText(this.line.textContent).then(() => say('The command is copied.')) }, 'Copy')), this.init = h('p', { class: 'init' }), this.paintButton);
  }

  // ordering is what the server is asked to paint.
  ordering() {
    const o = this.order, maps = isMap(o.mode);
    return { mode: o.mode, content: o.mode === 'art' || o.mode === 'patch' ? o.content : '', styles: maps ? o.styles.slice(0, 1) : o.styles,
      map: maps && this.doc.canvas ? o.canvasName : '', style_map: maps && this.doc.painting ? this.paintingFile() : '', init: o.init,
      settings: this.controls.chosen() };
  }

  paintingFile() { return `${title(this.order.styles[0] ?? 'painting')}_sem.png`; }

  async showCommand() {
    const o = this.ordering();
    this.init.replaceChildren(this.order.init ? h('span', {}, `Paints over ${title(this.order.init)}. `, h('button', { class: 'quiet', onclick: () => this.paintOver('') }, 'Start afresh')) : '');
    try {
      // Maps are saved when Paint is pressed; until then they have only a name.
      const names = [o.map, o.style_map].filter(n => n && !this.pictures.find(n));
      if (names.length) { this.line.textContent = `impasto ${o.mode} … (the maps are saved as ${names.join(' and ')} when you paint)`; return; }
      this.line.textContent = (await api.postJSON('/api/command', o)).command;
    } catch (err) { this.line.textContent = err.message; }
  }

  async paint(really = false) {
    if (this.paintButton.disabled) return;
    if (this.stale) { // not to judge by a map that is gone
      this.paintButton.disabled = true;
      await this.lint();
      this.paintButton.disabled = false;
    }
    const wrong = isMap(this.mode) ? this.checks.findings.filter(f => f.severity === 'error') : [];
    if (wrong.length && !really) {
      say(`The checks found ${wrong.length === 1 ? 'a fault' : wrong.length + ' faults'} in the maps.`, { bad: true, action: ['Paint all the same', () => this.paint(true)] });
      $('#checks').scrollIntoView({ block: 'nearest' });
      return;
    }
    this.paintButton.disabled = true;
    try {
      const o = this.ordering();
      if (wrong.length) o.settings['map-check'] = 'warn'; // they have been shown
      if (o.map) await api.saveMap(this.doc.wire('canvas', o.map));
      if (o.style_map) await api.saveMap(this.doc.wire('painting', o.style_map));
      const { job, plan } = await api.postJSON('/api/jobs', o);
      this.strip.hear(job);
      this.strip.show({ job: job.id });
      say(`${plan.width}×${plan.height}${plan.seconds ? `, about ${spanOf(plan.seconds)}` : ''}.`);
      this.pictures.refresh().then(() => this.showCommand());
    } catch (err) { tellProblem(err); }
    this.paintButton.disabled = false;
  }

  paintOver(name) {
    this.order.init = name;
    this.keep();
    if (name) say(`The next picture starts from ${title(name)}.`);
  }

  async takeRecipeOf(name) {
    try { await this.takeRecipe(await recipeOf(name), name); } catch (err) { tellProblem(err); }
  }

  // takeRecipe sets every control as a recipe says, and finds its pictures again.
  async takeRecipe(r, from) {
    const known = file => (this.pictures.find(file) ?? this.pictures.find('sample:' + title(file)))?.name;
    const missing = [], o = this.order, inputs = r.inputs ?? [];
    const of = role => inputs.filter(i => i.role === role).map(i => { const n = known(i.name); if (!n) missing.push(i.name); return n; }).filter(Boolean);
    this.controls.take(r.mode, r.settings);
    const styles = of('style'), content = of('content'), init = of('init');
    if (styles.length) o.styles = styles;
    if (content.length) o[isMap(r.mode) ? 'under' : 'content'] = content[0];
    o.init = init[0] ?? '';
    for (const [role, side] of [['map', 'canvas'], ['b', 'canvas'], ['style-map', 'painting'], ['a', 'painting']]) {
      const i = inputs.find(e => e.role === role);
      if (!i || !isMap(r.mode)) continue;
      const p = this.pictures.find(i.name) ? i.name : this.pictures.find('sample:' + title(i.name).replace(/_sem$/, ''))?.map;
      if (!p) { missing.push(i.name); continue; }
      try {
        this.doc.load(side, await api.readMap(p), `the map of ${from}`);
        if (side === 'canvas' && !p.startsWith('sample:')) { o.canvasName = p; this.foot('canvas'); }
      } catch (err) { tellProblem(err); }
    }
    this.setMode(r.mode);
    say(missing.length ? `The settings of ${from}. Not in this folder: ${missing.join(', ')}.` : `The settings of ${from}.`, { bad: missing.length > 0 });
  }
}

// mapName makes the name of a map's file of what a person writes.
function mapName(text) {
  text = text.trim().replace(/[/\\<>:"|?*]/g, '-').replace(/^\.+/, '').replace(/\.[a-z]*$/i, '').replace(/_sem$/, '') || 'canvas';
  return text + '_sem.png';
}

const app = new App();
globalThis.impasto = app; // for the console and the tests
app.start().catch(err => { if (err.status !== 401) tellProblem(err); });
