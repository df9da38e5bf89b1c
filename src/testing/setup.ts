import '@testing-library/jest-dom';

// Lab warns once when there is no clipboard, which jsdom does not have.
Object.defineProperty(navigator, 'clipboard', { value: {} });
