const LEARNING_KEY = /^[^\p{Cc}\p{Cs}]{1,512}$/u;

/**
 * Says whether a text can be a learning key: 1 to 512 characters, none of them a control character or half a surrogate
 * pair. State is kept by learning key, and no database holds others.
 */
export const isLearningKey = (text: string): boolean => LEARNING_KEY.test(text);
