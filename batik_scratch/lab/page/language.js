// The page's texts, in the language that was chosen. A file in languages/ is a language; English has every key.

const texts = { all: {}, code: "en" };

export function setTexts(all) {
  texts.all = all;
}

export function setLanguage(code) {
  texts.code = code in texts.all ? code : "en";
  document.documentElement.lang = texts.code;
}

export function language() {
  return texts.code;
}

export function languages() {
  return Object.entries(texts.all).map(([code, all]) => ({ code, name: all.language }));
}

// The text under a key; {name} in it is replaced by values.name.
export function t(key, values = {}) {
  const text = texts.all[texts.code][key] ?? texts.all.en[key] ?? `⟦${key}⟧`;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}
