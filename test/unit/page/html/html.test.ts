import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

// Under another name, so that no formatter takes these for pages and moves what is tested.
import { html as markup, render, styleElement as style } from '../../../../src/page/html/html.ts';
import { RUNBOOK_BASE_URL } from '../../../../src/risk/runbooks.ts';

/** Every code unit, lone surrogates and control characters included. */
const anyText = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0x7f }), fc.integer({ min: 0, max: 0xffff })))
  .map((units) => String.fromCharCode(...units));

describe('a value in a template', () => {
  it('cannot become markup in text', () => {
    const value = '<script>alert("1")</script> & \'2\' `3`';
    expect(render(markup`<p>${value}</p>`)).toBe(
      '<p>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;2&#39; &#96;3&#96;</p>',
    );
  });

  it('cannot leave a quoted attribute', () => {
    expect(render(markup`<p title="${'" onclick="x'}" lang='${"' y='"}'></p>`)).toBe(
      `<p title="&quot; onclick=&quot;x" lang='&#39; y=&#39;'></p>`,
    );
  });

  it('leaves no character behind that HTML gives a meaning, whatever it is', () => {
    fc.assert(
      fc.property(anyText, (value) => {
        const written = render(markup`<p title="${value}">${value}</p>`);
        const inner = /^<p title="([^"]*)">([^]*)<\/p>$/.exec(written);
        expect(inner?.[1]).toBe(inner?.[2]);
        expect(inner?.[2]).not.toMatch(/[<>"'`]/);
        expect(inner?.[2]).not.toMatch(/&(?!(?:amp|lt|gt|quot|#39|#96);)/);
      }),
    );
  });

  it('is written as it is when it is markup, and each one of a list', () => {
    const items = ['a', 'b<'].map((text) => markup`<li>${text}</li>`);
    expect(render(markup`<ul>${items}</ul>`)).toBe('<ul><li>a</li><li>b&lt;</li></ul>');
  });

  it('leaves nothing when it is undefined, and a number as it is', () => {
    expect(render(markup`<p>${undefined}${0}${1.5}</p>`)).toBe('<p>01.5</p>');
  });
});

describe('a template with a value in a dangerous place', () => {
  const cases: readonly (readonly [string, () => unknown])[] = [
    ['an attribute without quotes', () => markup`<p title=${'x'}></p>`],
    ['a tag', () => markup`<p ${'x'}></p>`],
    ['an attribute name', () => markup`<p data-${'x'}="1"></p>`],
    ['an event attribute', () => markup`<p onclick="${'x'}"></p>`],
    ['a style attribute', () => markup`<p style="${'x'}"></p>`],
    ['a style', () => markup`<style>${'x'}</style>`],
    ['a script', () => markup`<script>${'x'}</script>`],
    ['a comment', () => markup`<!-- ${'x'} -->`],
    ['an attribute, being markup', () => markup`<p title="${markup`<b></b>`}"></p>`],
    ['an attribute, being a list', () => markup`<p title="${['a']}"></p>`],
    ['a link that runs a script', () => markup`<a href="${'javascript:alert(1)'}">x</a>`],
    ['a link that leads elsewhere', () => markup`<a href="${'//evil.example/'}">x</a>`],
  ];
  it.each(cases)('is refused: %s', (_place, write) => {
    expect(write).toThrow(TypeError);
  });

  it('is fine with a link to a runbook, and with nothing else of that place', () => {
    const runbook = (file: string): string => `${RUNBOOK_BASE_URL}/${file}`;
    expect(render(markup`<a href="${runbook('KvmSwapStorm.md')}">r</a>`)).toBe(
      `<a href="${RUNBOOK_BASE_URL}/KvmSwapStorm.md">r</a>`,
    );
    for (const file of ['../../x.md', 'a?b.md', '"><b>.md', '']) {
      expect(() => markup`<a href="${runbook(file)}">r</a>`).toThrow(TypeError);
    }
  });

  it('is fine with links below the page and within it', () => {
    expect(render(markup`<a href="${'./metrics'}">m</a><a href="${'#cpu'}">c</a>`)).toBe(
      '<a href="./metrics">m</a><a href="#cpu">c</a>',
    );
  });

  it('is fine after a style, a script or a comment has ended', () => {
    const before = '<style>p{}</style><script>1<2</script><!-- <c --><p>';
    expect(render(markup`<style>p{}</style><script>1<2</script><!-- <c --><p>${'<'}</p>`)).toBe(
      `${before}&lt;</p>`,
    );
  });
});

describe('a style element', () => {
  it('has exactly the content its hash is made of', () => {
    const { element, content } = style`p { color: red }`;
    expect(render(element)).toBe('<style>p { color: red }</style>');
    expect(content).toBe('p { color: red }');
  });

  it('takes no end tag', () => {
    expect(() => style`"</style>"`).toThrow(TypeError);
  });
});

describe('a value with characters nobody sees', () => {
  it('shows them wherever it lands', () => {
    const name = 'a\u001b[2J\u202eb\u200b';
    const shown = 'a\\u{1b}[2J\\u{202e}b\\u{200b}';
    expect(render(markup`<p title="${name}">${name}</p>`)).toBe(`<p title="${shown}">${shown}</p>`);
  });
});
