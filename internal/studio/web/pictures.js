// Choosing pictures: those of the folder, the program's samples, and files that
// are dropped.

import { h, $, say, tellProblem, thumb, title } from './dom.js';
import { getJSON, postFile, postJSON } from './api.js';

export class Pictures {
  constructor(app) {
    this.app = app;
    this.list = [];
    this.dialog = $('#chooser');
    this.dropping();
  }

  async refresh() {
    this.list = await getJSON('/api/pictures');
    return this.list;
  }

  find(name) { return this.list.find(p => p.name === name); }

  // choose asks for a picture; it resolves to its name, or null.
  choose(heading, { maps = false, prefer = '' } = {}) {
    return new Promise(resolve => {
      const pick = name => { this.dialog.returnValue = name; this.dialog.close(name); };
      const card = p => h('button', { class: 'card', onclick: () => pick(p.name), title: p.title || p.name },
        h('img', { src: thumb(p.name, 192, p.changed), alt: '', loading: 'lazy', width: 144, height: 100 }),
        h('span', {}, title(p.name)), p.title && h('small', {}, p.title));
      const upload = h('input', { type: 'file', accept: 'image/png,image/jpeg,image/tiff,image/webp', class: 'unseen', 'aria-label': 'A file of this computer',
        onchange: async e => { const name = await this.add(e.target.files[0]); if (name) pick(name); } });
      const own = this.list.filter(p => !p.kind && !!p.is_map === maps);
      const samples = this.list.filter(p => p.kind).sort((a, b) => (b.kind === prefer) - (a.kind === prefer))
        .map(p => maps ? { ...p, name: p.map, title: 'Map of ' + title(p.name) } : p);
      this.dialog.replaceChildren(
        h('header', {}, h('h2', { id: 'chooser-title' }, heading), h('span', { class: 'gap' }),
          h('label', { class: 'button' }, 'From this computer…', upload), h('button', { class: 'quiet', 'aria-label': 'Close', onclick: () => pick('') }, '×')),
        own.length ? h('h3', {}, 'In this folder') : '', h('div', { class: 'cards' }, own.map(card)),
        h('h3', {}, 'Samples, drawn by the program'), h('div', { class: 'cards' }, samples.map(card)));
      this.dialog.onclose = () => resolve(this.dialog.returnValue || null);
      this.dialog.onclick = e => { if (e.target === this.dialog) pick(''); };
      this.dialog.returnValue = '';
      this.dialog.showModal();
    });
  }

  // add sends a file to the folder and returns its name there.
  async add(file) {
    if (!file) return null;
    try {
      const p = await postFile(`/api/pictures?name=${encodeURIComponent(file.name)}`, file);
      for (const w of p.warnings ?? []) say(w);
      await this.refresh();
      return p.name;
    } catch (err) { tellProblem(err); return null; }
  }

  // dropping takes files that are dropped anywhere on the page.
  dropping() {
    const sheet = $('#drop');
    let depth = 0;
    addEventListener('dragenter', e => { if (e.dataTransfer?.types.includes('Files')) { depth++; sheet.hidden = false; } });
    addEventListener('dragleave', () => { if (--depth <= 0) { depth = 0; sheet.hidden = true; } });
    addEventListener('dragover', e => e.preventDefault());
    addEventListener('drop', e => {
      e.preventDefault();
      depth = 0;
      sheet.hidden = true;
      for (const f of e.dataTransfer?.files ?? []) this.dropped(f, e.target);
    });
    addEventListener('paste', e => { for (const f of e.clipboardData?.files ?? []) this.dropped(f, document.activeElement); });
  }

  // dropped decides by place and content what a file is: on a map a map, a recipe
  // sets the controls, anything else is a picture.
  async dropped(file, target) {
    const pane = target.closest?.('.pane')?.id ?? '';
    if (pane === 'pane-painting' || pane === 'pane-canvas') {
      if (await this.app.importMap(pane === 'pane-canvas' ? 'canvas' : 'painting', file)) return;
    }
    let recipe = null;
    try { recipe = await postFile('/api/recipe', file); } catch { /* it has none */ }
    if (recipe) { await this.app.takeRecipe(recipe, file.name); if (/json$/i.test(file.name)) return; }
    if (/\.json$/i.test(file.name)) { say(`There is no recipe in ${file.name}.`, { bad: true }); return; }
    if (recipe) return;
    const name = await this.add(file);
    if (!name) return;
    if (pane === 'pane-styles' || pane === 'pane-painting') this.app.setStyle(name);
    else if (pane === 'pane-photo' || pane === 'pane-canvas' || !this.app.order.content) this.app.setContent(name);
    else say(`${name} is in the folder.`, { action: ['Use it as painting', () => this.app.setStyle(name)] });
  }
}

// recipeOf asks for the recipe of a picture of the folder.
export const recipeOf = name => postJSON(`/api/recipe?name=${encodeURIComponent(name)}`, {});
