// The gallery: results of the folder, two of them compared, and where their
// patches came from.

import { h, $, tellProblem, thumb, title, debounce } from './dom.js';
import { getJSON, postJSON, pictureURL } from './api.js';
import { Compare } from './compare.js';

export class Gallery {
  constructor(app) {
    this.app = app;
    this.box = $('#gallery');
    this.list = [];
    this.chosen = []; // names, at most two
    this.filter = { mode: '', style: '', rating: 0 };
    this.build();
  }

  build() {
    this.grid = h('div', { class: 'cards', role: 'list' });
    this.view = h('div', { id: 'compare' });
    this.facts = h('div', { class: 'facts' });
    this.source = h('figure', { class: 'source', hidden: true }, h('div', { class: 'spot' }, h('img', { alt: 'The painting the patch came from' }), h('i', {})), h('figcaption', {}));
    this.compare = new Compare(this.view, p => this.ask(p));
    const mode = this.modes = h('div', { class: 'segments', role: 'radiogroup', 'aria-label': 'How two are compared' },
      [['slider', 'Slider'], ['side', 'Side by side'], ['blink', 'Blink']].map(([m, words]) =>
        h('button', { role: 'radio', 'data-mode': m, 'aria-checked': String(m === 'slider'), onclick: () => this.how(m) }, words)));
    this.filters = h('div', { class: 'filters' });
    this.box.replaceChildren(
      h('div', { class: 'left' }, h('header', {}, h('h2', {}, 'Gallery'), h('span', { class: 'gap' }),
        h('button', { onclick: () => this.sheet() }, 'Contact sheet')), this.filters, this.grid),
      h('div', { class: 'right' }, h('header', {}, h('h2', { id: 'look-title' }, ''), h('span', { class: 'gap' }), mode, this.doings = h('span', { id: 'doings' })), this.view, h('div', { class: 'below' }, this.facts, this.source)));
  }

  taken(list) {
    this.list = list;
    this.chosen = this.chosen.filter(n => list.some(r => r.name === n));
    if (!this.box.hidden) this.draw();
  }

  // open shows the gallery with a picture.
  open(name) {
    this.app.page('gallery');
    if (name) this.chosen = [name];
    if (!this.chosen.length && this.list.length) this.chosen = [this.list[0].name];
    this.draw();
    this.look();
  }

  how(mode) {
    for (const b of this.modes.children) b.setAttribute('aria-checked', String(b.dataset.mode === mode));
    this.compare.show(this.chosen, mode);
  }

  get visible() {
    const f = this.filter;
    return this.list.filter(r => (!f.mode || r.mode === f.mode) && (!f.style || r.style === f.style) && r.rating >= f.rating);
  }

  draw() {
    const choose = (label, key, options) => h('select', { 'aria-label': label, onchange: e => { this.filter[key] = key === 'rating' ? Number(e.target.value) : e.target.value; this.draw(); } },
      options.map(([v, t]) => h('option', { value: v, selected: v === this.filter[key] }, t)));
    const distinct = key => [...new Set(this.list.map(r => r[key]).filter(Boolean))].sort().map(v => [v, title(v)]);
    this.filters.replaceChildren(
      choose('Way of painting', 'mode', [['', 'All ways'], ...distinct('mode')]),
      choose('Painting', 'style', [['', 'All paintings'], ...distinct('style')]),
      choose('Rating', 'rating', [[0, 'Any rating'], ...[1, 2, 3, 4, 5].map(n => [n, '★'.repeat(n) + (n < 5 ? ' or more' : '')])]));
    this.grid.replaceChildren(...this.visible.map(r => {
      const n = this.chosen.indexOf(r.name);
      return h('div', { class: n < 0 ? 'card' : 'card on', role: 'listitem' },
        h('button', { class: 'plain', 'aria-pressed': String(n >= 0), title: `${r.name}: click to look, Shift-click to compare`, onclick: e => this.choose(r.name, e.shiftKey || e.ctrlKey) },
          h('img', { src: thumb(r.name, 256, r.changed), alt: r.name, loading: 'lazy', width: 168, height: 116 }), n >= 0 && this.chosen.length > 1 ? h('b', {}, 'AB'[n]) : ''),
        h('div', { class: 'line' }, h('span', { title: r.name }, title(r.name)),
          h('button', { class: 'quiet', 'aria-label': `Compare ${r.name} with the one shown`, title: 'Compare with the one shown', onclick: () => this.choose(r.name, true) }, 'A|B')),
        this.stars(r));
    }), this.list.length ? '' : h('p', { class: 'empty' }, 'There is no result in this folder yet.'));
  }

  stars(r) {
    return h('div', { class: 'stars', role: 'radiogroup', 'aria-label': `Rating of ${r.name}` }, [1, 2, 3, 4, 5].map(n =>
      h('button', { class: n <= r.rating ? 'on' : '', role: 'radio', 'aria-checked': String(n === r.rating), 'aria-label': `${n} of 5`, onclick: async () => {
        r.rating = r.rating === n ? 0 : n;
        this.draw();
        await postJSON('/api/rating', { name: r.name, rating: r.rating }).catch(tellProblem);
      } }, '★')));
  }

  choose(name, also) {
    if (!also) this.chosen = [name];
    else if (this.chosen.includes(name)) this.chosen = this.chosen.filter(n => n !== name);
    else this.chosen = [...this.chosen.slice(-1), name];
    if (!this.chosen.length) this.chosen = [name];
    this.draw();
    this.look();
  }

  async look() {
    const [a, b] = this.chosen;
    this.source.hidden = true;
    if (!a) { this.view.replaceChildren(); return; }
    $('#look-title').textContent = this.chosen.map(title).join('  |  ');
    this.modes.hidden = !b;
    this.doings.replaceChildren(b ? '' : h('button', { onclick: () => { this.app.page('studio'); this.app.takeRecipeOf(a); } }, 'Its settings'),
      h('a', { class: 'button', href: pictureURL(b ?? a), download: b ?? a }, 'Save'));
    this.compare.show(this.chosen);
    this.facts.replaceChildren();
    if (b) {
      const list = await getJSON(`/api/difference?a=${encodeURIComponent(a)}&b=${encodeURIComponent(b)}`).catch(() => []);
      this.facts.replaceChildren(h('table', {}, h('caption', {}, list.length ? 'In what they differ' : 'Nothing differs in their recipes'),
        list.length ? h('tr', {}, h('th', {}, ''), h('th', {}, 'A'), h('th', {}, 'B')) : '',
        list.map(c => h('tr', {}, h('th', {}, c.path.replace(/^(options|result|inputs)\./, '')), h('td', {}, c.a || '–'), h('td', {}, c.b || '–')))));
    } else {
      const r = this.list.find(e => e.name === a);
      this.facts.replaceChildren(h('p', {}, `${r.mode} from ${r.from.map(title).join(', ') || 'nothing named'} · ${r.width}×${r.height}${r.stopped ? ' · stopped early' : ''}`),
        h('p', { class: 'hint' }, r.explain ? 'Point at the picture to see where its patches came from. Wheel enlarges, double-click shows every pixel.' : 'Wheel enlarges, double-click shows every pixel.'));
    }
  }

  // ask shows where the patch under the pointer came from.
  ask(p) {
    const r = this.list.find(e => e.name === this.chosen[0]);
    if (!p || !r?.explain || this.chosen.length > 1) { this.source.hidden = true; return; }
    this.askSoon(r, p);
  }

  askSoon = debounce(async (r, p) => {
    let a;
    try { a = await getJSON(`/api/where?name=${encodeURIComponent(r.name)}&x=${p[0].toFixed(4)}&y=${p[1].toFixed(4)}`); } catch { return; }
    const w = a.where[0], known = this.app.pictures.list, file = a.paintings[w.painting] ?? '';
    const painting = known.find(e => e.name === file) ?? known.find(e => e.name === 'sample:' + title(file));
    this.source.hidden = !painting;
    if (!painting) return;
    const img = $('img', this.source), src = thumb(painting.name, 512, painting.changed);
    if (img.getAttribute('src') !== src) img.src = src;
    Object.assign($('i', this.source).style, { left: `${100 * (w.x - w.width / 2)}%`, top: `${100 * (w.y - w.height / 2)}%`, width: `${100 * w.width}%`, height: `${100 * w.height}%` });
    $('figcaption', this.source).textContent = `${title(painting.name)} · ${w.layer} · match ${w.confidence.toFixed(2)}`;
  }, 60);

  sheet() {
    const names = this.visible.map(r => 'name=' + encodeURIComponent(r.name)).join('&');
    const a = h('a', { href: '/api/sheet?' + names, download: 'contact-sheet.html' });
    a.click();
  }
}
