// Monaco and Radix write their theme and scroll-lock rules into <style> elements they create at run time. The page's
// policy admits such an element only with the nonce of this page view, so every new one is given it.
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? "";
const createElement = document.createElement.bind(document);

document.createElement = (tagName: string, options?: ElementCreationOptions): HTMLElement => {
  const element = createElement(tagName, options);
  if (element instanceof HTMLStyleElement) element.nonce = nonce;
  return element;
};
