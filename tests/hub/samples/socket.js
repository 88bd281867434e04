// JavaScript client for WebSocket
const ws = new WebSocket('ws://localhost:8000/v1/libraries/{id}/ws');

// Add document
ws.send(JSON.stringify({
  action: 'add_document',
  data: {
    title: 'New Doc',
    texts: ['chunk 1', 'chunk 2']
  }
}));

// Receive confirmation
ws.onmessage = (event) => {
  const data = JSON.parse(event.data);
  console.log('Document added:', data.id);
};

// Search
ws.send(JSON.stringify({
  action: 'search',
  query: 'machine learning',
  k: 10
}));
