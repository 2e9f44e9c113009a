// What `.ci/run` holds the lab's page to, beside Prettier's form: no name that is not there, none that nobody uses.
import { createRequire } from "node:module";

const js = createRequire(`${process.env.LINT_TOOLS}/`)("@eslint/js");
const browser = [
  ...["document", "location", "history", "navigator", "performance", "requestAnimationFrame", "getComputedStyle"],
  ...["addEventListener", "scrollTo", "scrollY", "setTimeout", "clearTimeout", "atob", "createImageBitmap"],
  ...["innerHeight", "URLSearchParams", "KeyboardEvent"],
];

export default [
  js.configs.recommended,
  {
    languageOptions: { globals: Object.fromEntries(browser.map((name) => [name, "readonly"])) },
    rules: { eqeqeq: "error", "no-var": "error", "prefer-const": "error", "no-shadow": "off" },
  },
];
