import { Document, Scalar, visit } from 'yaml';

/**
 * YAML of several documents, texts of several lines as they are written.
 *
 * @param comment lines for the top of the first.
 */
export function yamlText(comment: readonly string[], ...contents: readonly unknown[]): string {
  return contents
    .map((content, index) => {
      const document = new Document(content, { aliasDuplicateObjects: false });
      if (index === 0) document.commentBefore = comment.map((line) => ` ${line}`).join('\n');
      visit(document, {
        Scalar(_key, node) {
          if (typeof node.value === 'string' && node.value.includes('\n')) {
            node.type = Scalar.BLOCK_LITERAL;
          }
        },
      });
      return document.toString({ lineWidth: 0, singleQuote: true });
    })
    .join('---\n');
}
