import { render, screen } from '@testing-library/react';
import * as React from 'react';
import { SignatureView } from './signature';

describe('SignatureView', () => {
  it('says of each column what is accepted', () => {
    const inputs = [
      { name: 'x', dtype: 'float64', minimum: 4.3, maximum: 7.9 },
      { name: 'n', dtype: 'int64', minimum: 1, limit: true, required: false },
      { name: 'kind', dtype: 'category', categories: ['a', 'b'] },
      { name: 'word', dtype: 'str', allowed: ['u'], description: 'A word' }
    ];
    render(<SignatureView signature={{ inputs, rows: 'frame' }} />);
    const facts = screen.getByLabelText('Columns');
    expect(facts).toHaveTextContent('xfloat64, 4.3..7.9');
    expect(facts).toHaveTextContent('nint64, only 1.., may be missing');
    expect(facts).toHaveTextContent('kindcategory, a | b');
    expect(facts).toHaveTextContent('wordstr, u, A word');
  });

  it('says nothing where nothing is known', () => {
    const signature = { inputs: [], rows: 'any' };
    const { container } = render(<SignatureView signature={signature} />);
    expect(container).toBeEmptyDOMElement();
  });
});
