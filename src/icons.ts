import { LabIcon } from '@jupyterlab/ui-components';

/** A parcel that goes up: the mark of the panel and of the Publish command. */
export const publishIcon = new LabIcon({
  name: 'jupyter-mlops:publish',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <path class="jp-icon3 jp-icon-selectable" fill="#616161" d="M12 2 7.5 6.5l1.4 1.4L11 5.8V13h2V5.8l2.1 2.1 1.4-1.4z"/>
  <path class="jp-icon3 jp-icon-selectable" fill="#616161" d="M3 10v10c0 1.1.9 2 2 2h14c1.1 0 2-.9 2-2V10h-5v2h3v2.5h-4.2a2.9 2.9 0 0 1-5.6 0H5V12h3v-2zm2 6.5h2.9a4.9 4.9 0 0 0 8.2 0H19V20H5z"/>
</svg>`
});

/** A plug: the mark of what answers HTTP. */
export const serviceIcon = new LabIcon({
  name: 'jupyter-mlops:service',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <path class="jp-icon3 jp-icon-selectable" fill="#616161" d="M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20m6.9 6h-2.9a16 16 0 0 0-1.4-3.6A8 8 0 0 1 18.900 8M12 4c.8 1.200 1.500 2.500 1.900 4h-3.800c.4-1.500 1.100-2.800 1.900-4M4.300 14a8 8 0 0 1 0-4h3.300a17 17 0 0 0 0 4zm.8 2h2.900c.3 1.300.8 2.500 1.400 3.600A8 8 0 0 1 5.100 16M8 8H5.100a8 8 0 0 1 4.300-3.600C8.800 5.500 8.300 6.700 8 8m4 12c-.8-1.200-1.500-2.500-1.900-4h3.800c-.4 1.500-1.100 2.800-1.900 4m2.300-6H9.700a15 15 0 0 1 0-4h4.600a15 15 0 0 1 0 4m.3 5.600c.6-1.100 1.100-2.300 1.400-3.600h2.900a8 8 0 0 1-4.300 3.600M16.400 14a17 17 0 0 0 0-4h3.300a8 8 0 0 1 0 4z"/>
</svg>`
});
