import { shareHeight } from './sizes';

describe('shareHeight', () => {
  it('gives each what it needs, and the rest to the last', () => {
    expect(shareHeight(500, [100, 150, 0], [1, 1, 1])).toEqual([100, 400, 0]);
  });

  it('shares by weight what is not enough', () => {
    expect(shareHeight(300, [900, 900], [2, 1])).toEqual([200, 100]);
  });

  it('gives what one leaves to the others', () => {
    expect(shareHeight(300, [50, 900, 900], [1, 1, 1])).toEqual([50, 125, 125]);
  });

  it('gives nothing to what is closed', () => {
    expect(shareHeight(300, [0, 0], [1, 1])).toEqual([0, 0]);
    expect(shareHeight(300, [0, 20, 0], [1, 1, 1])).toEqual([0, 300, 0]);
  });
});
