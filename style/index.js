import './base.css';
import './components.css';
import './jobs.css';
import './pipeline.css';
import './environment.css';
import './captures.css';
import './service.css';
