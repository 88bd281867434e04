// JavaScript client for real-time events
const eventSource = new EventSource('/v1/events/stream?library_id=...');

eventSource.addEventListener('document.added', (e) => {
  const data = JSON.parse(e.data);
  console.log('New document:', data.document_id);
});

eventSource.addEventListener('index.rebuilt', (e) => {
  console.log('Index rebuilt!');
});
